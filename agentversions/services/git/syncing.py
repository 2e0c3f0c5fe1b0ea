"""Follows the branch: looks, fetches, reads each commit that changed an agent, and stores what it brings."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from agentversions.core.git.history import EXPECTED, Step, Walk
from agentversions.core.git.objects import Commit, ObjectRefused
from agentversions.models import GitFolder, GitRun, GitSource
from agentversions.models.database import database_now

from .errors import GitFailed
from .mirror import Mirror
from .source import require_running, require_source
from .storing import Stored, known_folders, store_steps

logger = logging.getLogger("agentversions.git")
STEPS_AT_ONCE, BYTES_AT_ONCE = 1_000, 16_000_000
"""Of one transaction, of which a commit is the smallest: enough to share its cost, few enough that a killed sync
repeats little, and that memory stays flat."""
PROBLEMS_KEPT = 50
REWRITTEN = (
    "The branch was rewritten (a force-push): its head does not follow the last commit that was read. Versions and "
    "history stay. An admin goes on from the new head on the page Git."
)


@dataclass(frozen=True)
class Outcome:
    """What a sync did: from which commit to which, how much is new, and what could not be read."""

    head: str
    base: str = ""
    commits: int = 0
    versions: int = 0
    agents: int = 0
    problems: tuple[str, ...] = ()


def synchronise(*, trigger: str) -> Outcome:
    """Bring everything that was merged into the followed branch; a second run does nothing.

    One sync runs at a time on the whole installation: another one waits for it and then finds nothing to do. Raises
    GitNotConfigured, GitSuspended, and GitFailed (which the page Git shows until the next success)."""
    require_running()
    with only_one():
        source, started = require_running(), database_now()
        try:
            outcome = _synchronise(source)
        except GitFailed as error:
            _note_failure(source, trigger, started, str(error))
            raise
        except ObjectRefused as error:
            words = f"The repository cannot be read: it {error}"
            _note_failure(source, trigger, started, words)
            raise GitFailed(words) from error
        _note_success(source, trigger, started, outcome)
        return outcome


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of everything that reads or writes the repository; PostgreSQL frees it when we are killed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('git sync'))")
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('git sync'))")


def look(source: GitSource, mirror: Mirror) -> str:
    """The head of the followed branch, fetched when it moved; how far behind we are is noted. Raises GitFailed."""
    branches = mirror.remote_branches()
    head = branches.get(source.branch)
    if head is None:
        there = ", ".join(sorted(branches)[:10]) or "none"
        raise GitFailed(
            f"The branch “{source.branch}” is not in the repository (there: {there}). Push it, or follow another."
        )
    if head != source.head_commit or not mirror.has(head):
        head = mirror.fetch(source.branch)
    _note_head(source, mirror, head)
    return head


def walk_to(source: GitSource, mirror: Mirror, head: str) -> "Commits":
    """The commits to read, with the state of the folders before them."""
    commits: list[str] = []
    if not source.takes_only_head:
        commits = mirror.commits(source.seen_commit, head, source.folder)
    return Commits(source, mirror, head, commits)


class Commits:
    """Reads commits in order, some at a time; at the end whatever the head still holds otherwise."""

    def __init__(self, source: GitSource, mirror: Mirror, head: str, commits: list[str]) -> None:
        self.source, self.mirror, self.head, self.commits = source, mirror, head, commits

    def __iter__(self) -> Iterator[tuple[str, list[Step], bool]]:
        """For each batch the newest commit, its steps, and whether it is the last batch. Raises ObjectRefused."""
        with self.mirror.objects() as objects:
            walk = Walk(objects, self.source.folder, known_folders())
            batch: list[Step] = []
            size = 0
            for index, commit in enumerate(self.commits):
                if index % EXPECTED == 0:
                    objects.expect(self.commits[index : index + EXPECTED])
                steps = walk.steps(objects.commit(commit))
                batch += steps
                size += sum(len(step.agent.body) for step in steps if step.agent)
                if len(batch) >= STEPS_AT_ONCE or size >= BYTES_AT_ONCE:
                    yield commit, batch, False
                    batch, size = [], 0
            if batch:
                yield self.commits[-1], batch, False
            prefix = f"{self.source.folder}/" if self.source.folder else ""

            def newest(folder: str) -> Commit:
                return objects.commit(self.mirror.newest(self.head, prefix + folder))

            yield self.head, walk.settle(objects.commit(self.head), newest), True


def _synchronise(source: GitSource) -> Outcome:
    mirror = Mirror.of(source.address)
    head = look(source, mirror)
    if head == source.seen_commit and not GitFolder.objects.filter(is_again=True).exists():
        return Outcome(head)
    if source.seen_commit and not mirror.descends(head, source.seen_commit):
        mirror.keep(source.seen_commit)
        GitSource.objects.filter(pk=source.pk).update(rewritten_head=head)
        raise GitFailed(REWRITTEN)
    if source.rewritten_head:
        # The branch came back to what was read before.
        GitSource.objects.filter(pk=source.pk).update(rewritten_head="")
        source.rewritten_head = ""
    base = source.seen_commit
    walked, total = walk_to(source, mirror, head), Stored()
    for seen, steps, is_last in walked:
        stored = store_steps(source=source, steps=steps, seen=seen, is_last=is_last)
        total.versions += stored.versions
        total.agents += stored.agents
        total.problems += stored.problems
    return Outcome(head, base, len(walked.commits), total.versions, total.agents, tuple(total.problems))


def _note_head(source: GitSource, mirror: Mirror, head: str) -> None:
    now = database_now()
    behind = len(mirror.commits(source.seen_commit, head, "")) if head != source.seen_commit else 0
    if head != source.head_commit:
        source.head_at = now
    source.head_commit, source.behind, source.checked_at = head, behind, now
    source.save(update_fields=["head_commit", "head_at", "behind", "checked_at"])


def _note_failure(source: GitSource, trigger: str, started: datetime, words: str) -> None:
    """Kept on the source; a failure that repeats itself is one run, not one each minute."""
    now = database_now()
    current = require_source()
    GitSource.objects.filter(pk=source.pk).update(checked_at=now, error=words, error_at=now)
    if current.error != words:
        logger.warning("The git sync failed: %s", words)
        GitRun.objects.create(trigger=trigger, started_at=started, from_commit=source.seen_commit, error=words)


def _note_success(source: GitSource, trigger: str, started: datetime, outcome: Outcome) -> None:
    now = database_now()
    GitSource.objects.filter(pk=source.pk, address=source.address, branch=source.branch).update(
        checked_at=now, succeeded_at=now, error="", error_at=None, behind=0
    )
    if outcome.commits or outcome.versions or outcome.agents:
        GitRun.objects.create(
            trigger=trigger,
            started_at=started,
            from_commit=outcome.base,
            to_commit=outcome.head,
            commits=outcome.commits,
            versions=outcome.versions,
            agents=outcome.agents,
            problems=list(outcome.problems[:PROBLEMS_KEPT]),
        )
