"""The other way: what is published in the browser becomes a commit on a branch of the repository."""

import logging
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.git.folders import FolderRefused, folder_files, folders_at
from agentversions.core.git.objects import ObjectRefused, Objects
from agentversions.core.portable import write_folder
from agentversions.core.yaml_text import read_yaml
from agentversions.models import Agent, AgentVersion, GitFolder, GitSource, GitVersion, User
from agentversions.models.database import database_now
from agentversions.services.audit import record

from .errors import GitFailed
from .mirror import WRITTEN, Mirror
from .program import run_git
from .source import require_running
from .syncing import look, only_one

logger = logging.getLogger("agentversions.git")
AT_ONCE = 100


@dataclass(frozen=True)
class Written:
    """A version with the commit that holds it: a new one, or the one in which the branch had it already."""

    version: AgentVersion
    commit: str
    is_new: bool


def waiting_versions(source: GitSource) -> QuerySet[AgentVersion]:
    """What was published since writing was asked for, and no commit knows yet, oldest first."""
    known = GitVersion.objects.filter(version=OuterRef("pk"))
    found: QuerySet[AgentVersion] = AgentVersion.objects.filter(~Exists(known))
    if not source.write_branch or source.write_since is None:
        return found.none()
    return found.filter(created_at__gte=source.write_since).order_by("pk")


def write_published() -> int:
    """Write every waiting version, one commit each, and push them; gives how many. A second run writes nothing.

    Raises GitNotConfigured, GitSuspended, and GitFailed (the versions go on waiting, and the page Git says why)."""
    if not waiting_versions(require_running()).exists():
        return 0
    with only_one():
        source = require_running()
        versions = list(
            waiting_versions(source).select_related("agent", "configuration", "created_by")[:AT_ONCE]
        )  # fmt: skip
        try:
            written = _write(source, Mirror.of(source.address), versions) if versions else []
        except (GitFailed, ObjectRefused, FolderRefused) as error:
            words = str(error) if isinstance(error, GitFailed) else f"The branch cannot be written: {error}"
            GitSource.objects.filter(pk=source.pk).update(write_error=words, write_error_at=database_now())
            logger.warning("Writing to git failed: %s", words)
            raise GitFailed(words) from error
        _note(source, written)
        return len(written)


def _write(source: GitSource, mirror: Mirror, versions: list[AgentVersion]) -> list[Written]:
    followed = look(source, mirror)
    there = followed if source.write_branch == source.branch else mirror.remote_head(source.write_branch)
    base = _base(source, mirror, followed, there)
    with mirror.objects() as objects:
        stream = _Stream(source, objects, base)
        for version in versions:
            stream.add(version)
    commits = stream.run(mirror)
    if stream.count:
        mirror.push(commits[-1], source.write_branch, expected=there or "")
    place = dict(enumerate(commits, start=1))
    return [
        Written(version, place[mark] if mark else _holder(source, mirror, base, version), is_new)
        for version, mark, is_new in stream.marks
    ]


def _holder(source: GitSource, mirror: Mirror, base: str, version: AgentVersion) -> str:
    """The commit in which the branch has this version already."""
    folder = folder_of(version.agent)
    return mirror.newest(base, f"{source.folder}/{folder}" if source.folder else folder)


def _base(source: GitSource, mirror: Mirror, followed: str, there: str | None) -> str:
    """Where the next commit stands: on what waits to be merged; once all of it is merged, on the followed branch."""
    if there is None or there == followed:
        return followed
    mirror.fetch(source.write_branch)
    if mirror.descends(followed, there):
        return followed
    common = mirror.common(followed, there)
    with mirror.objects() as objects:
        at = {name: folders_at(objects, objects.commit(name), source.folder) for name in (common, there, followed)}
    written = {folder for folder, tree in at[there].items() if at[common].get(folder) != tree}
    # Merged by squashing, its commits are not in the followed branch, but everything they wrote is.
    is_merged = all(at[followed].get(folder) == at[there][folder] for folder in written)
    return followed if is_merged else there


class _Stream:
    """The commits as `git fast-import` takes them: no working tree, no index, one process for all."""

    def __init__(self, source: GitSource, objects: Objects, base: str) -> None:
        self.source, self.objects, self.base = source, objects, base
        self.trees = folders_at(objects, objects.commit(base), source.folder)
        self.files: dict[str, dict[str, bytes]] = {}
        self.parts: list[bytes] = []
        self.marks: list[tuple[AgentVersion, int | None, bool]] = []
        self.newest: dict[str, int] = {}
        self.count = 0

    def add(self, version: AgentVersion) -> None:
        """Add the commit of a version; none where the branch holds exactly its files."""
        folder = folder_of(version.agent)
        if folder not in self.files:
            tree = self.trees.get(folder)
            self.files[folder] = folder_files(self.objects, folder, tree) if tree else {}
        before = self.files[folder]
        after = _keep_what_says_the_same(before, write_folder(version.configuration.load()))
        if before == after:
            self.marks.append((version, self.newest.get(folder), False))
            return
        self.count += 1
        self.newest[folder] = self.count
        self.marks.append((version, self.count, True))
        self.parts.append(self._head(version))
        place = f"{self.source.folder}/{folder}" if self.source.folder else folder
        for path in sorted(before.keys() - after.keys()):
            self.parts.append(f"D {place}/{path}\n".encode())
        for path in sorted(after):
            if before.get(path) != after[path]:
                self.parts.append(f"M 100644 inline {place}/{path}\n".encode() + _data(after[path]))
        self.files[folder] = after

    def run(self, mirror: Mirror) -> list[str]:
        """Write the commits into the copy; gives their hashes in order."""
        if not self.count:
            return []
        with tempfile.TemporaryDirectory(prefix="agent-versions-") as folder:
            marks = Path(folder) / "marks"
            given = b"feature done\n" + b"".join(self.parts) + b"done\n"
            options = ("--quiet", "--force", f"--export-marks={marks}")
            run_git("fast-import", *options, folder=mirror.folder, given=given)
            lines = [line.split() for line in marks.read_text(encoding="ascii").splitlines()]
        by_mark = {int(mark.removeprefix(":")): commit for mark, commit in lines}
        return [by_mark[number] for number in range(1, self.count + 1)]

    def _head(self, version: AgentVersion) -> bytes:
        # The version's own time, so that a second try makes the very same commit.
        moment = f"{int(version.created_at.timestamp())} +0000"
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        author = _person(version.created_by, host)
        message = f"{version.name}\n\n{version.description}".strip() + (
            f"\n\nAgent-Version: {version.agent.slug} V{version.number}\nConfiguration: {version.configuration_id}\n"
        )
        start = f"from {self.base}\n" if self.count == 1 else ""
        return (
            f"commit {WRITTEN}{self.source.write_branch}\nmark :{self.count}\n"
            f"author {author} {moment}\ncommitter Agent Versions <noreply@{host}> {moment}\n"
        ).encode() + _data(message.encode()) + start.encode()  # fmt: skip


def folder_of(agent: Agent) -> str:
    """The agent's folder in the repository: the one it was read from, else its address."""
    row = GitFolder.objects.filter(agent=agent).first()
    if row is not None:
        return row.folder
    is_taken = GitFolder.objects.filter(folder=agent.slug, agent__isnull=False).exists()
    return f"{agent.slug[:80]}-{agent.pk}" if is_taken else agent.slug


def _keep_what_says_the_same(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, bytes]:
    """The new files; one whose values did not change keeps its bytes, and with them its comments and its layout."""
    kept = {path: before[path] for path in after if path in before and _says_the_same(path, before[path], after[path])}
    return {**after, **kept}


def _says_the_same(path: str, before: bytes, after: bytes) -> bool:
    if before == after:
        return True
    try:
        if path.endswith(".json"):
            return bool(parse(before) == parse(after))
        return path.endswith(".yaml") and bool(read_yaml(before.decode()) == read_yaml(after.decode()))
    except (NotCanonicalisable, UnicodeDecodeError):
        return False


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _person(user: User, host: str) -> str:
    """A name and an address as git's header takes them."""
    name = re.sub(r"[<>\x00-\x1f]+", " ", str(user)).strip() or user.username
    email = re.sub(r"[<>\s\x00-\x1f]+", "", user.email) or f"{user.pk}@users.noreply.{host}"
    return f"{name} <{email}>"


@transaction.atomic
def _note(source: GitSource, written: list[Written]) -> None:
    for each in written:
        author = each.version.created_by
        GitVersion.objects.create(
            agent=each.version.agent,
            version=each.version,
            kind=GitVersion.Kind.WRITTEN,
            commit=each.commit,
            author=str(author)[:200],
            email=author.email,
            authored_at=each.version.created_at,
        )
        if each.is_new:
            record(
                action="version written to git",
                subject_kind="agent",
                subject=each.version.agent.slug,
                after={"version": each.version.number, "commit": each.commit, "branch": source.write_branch},
                actor=author,
            )
    GitSource.objects.filter(pk=source.pk).update(write_error="", write_error_at=None)
