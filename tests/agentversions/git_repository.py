"""A real repository on disk: a bare one that is followed, and a working copy from which git pushes to it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from agentversions.core.portable import write_folder
from agentversions.models import AgentVersion, GitFolder, GitSource, User
from agentversions.services.git.source import SourceSettings, configure_source
from agentversions.services.git.syncing import Outcome, synchronise
from tests.factories import make_configuration, make_user


class Repository:
    """`remote` is what is followed; everything else happens in the working copy until it is pushed."""

    def __init__(self, folder: Path) -> None:
        self.remote, self.work = folder / "remote.git", folder / "work"
        self.clock = 1_790_000_000
        run("init", "--bare", "--quiet", "--initial-branch=main", str(self.remote))
        run("init", "--quiet", "--initial-branch=main", str(self.work))
        self.git("remote", "add", "origin", str(self.remote))

    def git(self, *words: str, author: str = "Ada Lovelace <ada@example.com>") -> str:
        """Run git in the working copy; every commit is a minute later than the one before."""
        self.clock += 60
        name, _, email = author.partition(" <")
        who = {"NAME": name, "EMAIL": email.rstrip(">"), "DATE": f"{self.clock} +0100"}
        return run(
            *words,
            folder=self.work,
            **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()},
        )

    def put(self, folder: str, **fields: Any) -> None:
        """Write an agent's folder in the portable format; fields replace those of a complete configuration."""
        fields.setdefault("name", folder.rpartition("/")[2].replace("-", " ").capitalize())
        for path, content in write_folder(make_configuration(**fields)).items():
            self.write(f"{folder}/{path}", content)

    def write(self, path: str, content: str | bytes) -> None:
        """Write one file."""
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def remove(self, path: str) -> None:
        """Remove a folder."""
        shutil.rmtree(self.work / path)

    def commit(self, message: str, **options: str) -> str:
        """Commit everything; gives the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, **options)
        return self.head()

    def push(self, *options: str, branch: str = "main") -> str:
        """Push the current branch; gives its head."""
        self.git("push", "--quiet", *options, "origin", f"HEAD:refs/heads/{branch}")
        return self.head()

    def save(self, message: str, **options: str) -> str:
        """Commit everything and push it."""
        self.commit(message, **options)
        return self.push()

    def head(self, name: str = "HEAD") -> str:
        """The hash of a name in the working copy."""
        return self.git("rev-parse", name).strip()


def run(*words: str, folder: Path | None = None, **variables: str) -> str:
    """The git program, without the configuration of whoever runs the tests."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **variables,
    }
    command = ["git", "-c", "protocol.file.allow=always", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def follow(repository: Repository, actor: User | None = None, **fields: str) -> GitSource:
    """Follow its main branch, with the agents in the folder `agents`."""
    wanted = SourceSettings(str(repository.remote), **{"branch": "main", "folder": "agents", **fields})
    return configure_source(wanted=wanted, actor=actor or make_user("admin"))


def sync() -> Outcome:
    """One look at the followed branch."""
    return synchronise(trigger="test")


def names(slug: str) -> list[str]:
    """The names of an agent's versions, oldest first."""
    return list(AgentVersion.objects.filter(agent__slug=slug).order_by("number").values_list("name", flat=True))


def folder(name: str) -> GitFolder:
    """What is known of a folder."""
    return GitFolder.objects.get(folder=name)
