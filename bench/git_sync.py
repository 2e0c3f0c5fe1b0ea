"""`python -m bench.git_sync`: 500 commits that each change all of 20 agents, read for the first and a second time."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.scratch import scratch_database, start_django

COMMITS, AGENTS = 500, 20
FIRST_BAR, SECOND_BAR = 60.0, 2.0


def main() -> int:
    """Run the bench and print its figures; 1 when a bar is missed."""
    start_django()
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from django.conf import settings
    from django.db import connection

    from agentversions.models import AgentVersion, AuditEntry
    from agentversions.services.git.source import SourceSettings, configure_source
    from agentversions.services.git.syncing import synchronise
    from tests.factories import make_user

    settings.GIT_SYNC_FOLDER = folder / "mirrors"
    remote = folder / "remote.git"
    size = make_repository(remote, commits=COMMITS, agents=AGENTS)
    actor = make_user("admin")
    configure_source(wanted=SourceSettings(str(remote), "main", "agents"), actor=actor)
    bare = _seconds(lambda: _read_all(remote))
    asked: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        asked.append(sql[:20])
        return execute(sql, *rest)

    before = time.process_time()
    with connection.execute_wrapper(note):
        first = _seconds(lambda: synchronise(trigger="bench"))
    own = time.process_time() - before
    second = _seconds(lambda: synchronise(trigger="bench"))
    versions, entries = AgentVersion.objects.count(), AuditEntry.objects.filter(action="version published").count()
    is_whole = versions == entries == COMMITS * AGENTS
    print(f"{COMMITS} commits, each changes all of {AGENTS} agents of {size / 1000:.1f} kB: {versions:,} versions")
    print(f"{'calibration: git log -p of the same history':48}{bare:8.2f} s")
    for label, seconds, bar in (("first sync", first, FIRST_BAR), ("second sync", second, SECOND_BAR)):
        print(f"{label:48}{seconds:8.2f} s (bar {bar:.0f} s): {'pass' if seconds <= bar else 'FAIL'}")
    print(f"{'processor time of the first, without PostgreSQL':48}{own:8.2f} s")
    print(f"{'queries of the first, per version':48}{len(asked) / max(versions, 1):8.2f} ({len(asked):,} in all)")
    print(f"per version {first / max(versions, 1) * 1000:.2f} ms; every commit is one version: {is_whole}")
    return 0 if is_whole and first <= FIRST_BAR and second <= SECOND_BAR else 1


def make_repository(remote: Path, *, commits: int, agents: int) -> int:
    """A bare repository in which each commit edits the prompt of every agent; gives the bytes of one agent's folder."""
    from agentversions.core.portable import write_folder
    from tests.factories import make_configuration

    prompt = "".join(f"- Rule {number}: say what the caller needs to know, then stop.\n" for number in range(60))
    parts = [b"feature done\n"]
    size = 0
    for commit in range(1, commits + 1):
        message = f"Rule change {commit}\n\nAsked for by the clinic.".encode()
        who = f"Ada Lovelace <ada@example.com> {1_790_000_000 + commit * 60} +0000"
        parts.append(f"commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata {len(message)}\n".encode() + message)
        parts.append(b"\n")
        for agent in range(agents):
            text = prompt.replace("Rule 30:", f"Rule 30, edition {commit}:")
            files = {"prompt.md": text.encode()}
            if commit == 1:
                files = write_folder(make_configuration(name=f"Agent {agent}", system_prompt=text))
                size = sum(map(len, files.values()))
            for path, content in files.items():
                head = f"M 100644 inline agents/agent-{agent}/{path}\ndata {len(content)}\n"
                parts.append(head.encode() + content + b"\n")
    parts.append(b"done\n")
    subprocess.run(["git", "init", "--bare", "--quiet", "--initial-branch=main", str(remote)], check=True)
    subprocess.run(["git", "-C", str(remote), "fast-import", "--quiet"], input=b"".join(parts), check=True)
    return size


def _read_all(remote: Path) -> None:
    subprocess.run(["git", "-C", str(remote), "log", "-p", "--first-parent"], check=True, stdout=subprocess.DEVNULL)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
