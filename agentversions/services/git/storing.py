"""Stores what commits did to agents: new agents, versions, ties to commits, and what could not be read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Lower

from agentversions.core.git.history import Known, Step
from agentversions.core.git.numbering import Numbering
from agentversions.core.git.objects import Commit
from agentversions.core.version_words import DESCRIPTION_LIMIT, NAME_LIMIT, UNSTORABLE, one_line
from agentversions.models import Agent, AgentVersion, Configuration, GitFolder, GitSource, GitVersion, User
from agentversions.models.database import ClockTimestamp
from agentversions.services.agents import create_agent, free_slug
from agentversions.services.audit import record
from agentversions.services.draft_pointer import lock_agent, move_draft
from config.origin import GIT, Origin, originating

from .errors import GitFailed

BATCH = 500


class SourceMoved(GitFailed):
    """The settings, or how far was read, changed meanwhile; whoever changed it goes on."""


@dataclass
class Stored:
    """What was stored: how many versions and agents are new, and every folder that could not be read, in words."""

    versions: int = 0
    agents: int = 0
    problems: list[str] = field(default_factory=list)


def known_folders() -> dict[str, Known]:
    """What was read of each folder last, as a walk needs it."""
    return {
        row.folder: Known(row.tree, row.name, row.digest, is_present=not row.is_removed)
        for row in GitFolder.objects.all()
    }


def numbering_of(agent: Agent) -> Numbering:
    """The versions of an agent from the newest that git knows on, by digest."""
    # What was only written to a branch of its own is not in the followed one yet.
    ties = GitVersion.objects.filter(agent=agent).exclude(kind=GitVersion.Kind.WRITTEN)
    linked = ties.aggregate(last=Max("version__number"))["last"] or 0
    rows = agent.versions.filter(number__gte=linked).values_list("number", "configuration_id")
    return Numbering(linked, dict(rows))


@transaction.atomic
def store_steps(*, source: GitSource, steps: list[Step], seen: str, is_last: bool) -> Stored:
    """Store the steps of some commits in one transaction, and note that `seen` is the newest commit that was read.

    Raises SourceMoved when somebody else stored or set something since `source` was read."""
    locked = GitSource.objects.select_for_update().get(pk=source.pk)
    for name in ("address", "branch", "folder", "seen_commit", "is_suspended", "rewritten_head"):
        if getattr(locked, name) != getattr(source, name):
            raise SourceMoved("The settings of the repository changed meanwhile. It begins again.")
    stored = Stored()
    rows = {row.folder: row for row in GitFolder.objects.select_related("agent")}
    authors = _Authors(source.configured_by, [step.commit for step in steps])
    by_row = _by_row(steps, rows)
    # Agents are locked in one order, so that two writers never wait for each other.
    for row, own in sorted(by_row, key=lambda pair: (pair[0].agent_id is None, pair[0].agent_id or 0, pair[0].folder)):
        _store_folder(row, own, authors, stored)
    source.seen_commit = locked.seen_commit = seen
    fields = ["seen_commit"]
    if is_last:
        locked.takes_only_head = source.takes_only_head = False
        fields.append("takes_only_head")
    locked.save(update_fields=fields)
    return stored


def _by_row(steps: list[Step], rows: dict[str, GitFolder]) -> list[tuple[GitFolder, list[Step]]]:
    """The steps of each folder in their order, also where the folder got another name on the way."""
    found: dict[int, tuple[GitFolder, list[Step]]] = {}
    for step in steps:
        row = _row_of(step, rows)
        rows[step.folder] = row
        found.setdefault(id(row), (row, []))[1].append(step)
    return list(found.values())


def _row_of(step: Step, rows: dict[str, GitFolder]) -> GitFolder:
    """The row of a step's folder, under its new name where it was renamed."""
    there = rows.get(step.folder)
    if step.was in rows:
        row = rows.pop(step.was)
        if there is not None and there.pk:
            there.delete()  # A folder of the new name that never held an agent.
        row.folder = step.folder
        return row
    return there or GitFolder(folder=step.folder)


def _store_folder(row: GitFolder, steps: list[Step], authors: "_Authors", stored: Stored) -> None:
    read = [step for step in steps if step.agent]
    last = steps[-1]
    row.tree, row.commit, row.changed_at = ("" if last.is_again else last.tree), last.commit.id, ClockTimestamp()
    row.is_removed, row.is_again, row.problem = last.is_removed, last.is_again, last.refused
    if read:
        with originating(Origin(GIT, read[0].commit.id)):
            _store_versions(row, read, authors, stored)
    if row.problem:
        stored.problems.append(row.problem)
    if row._state.adding and row.is_removed and not read:
        return
    row.save()


def _store_versions(row: GitFolder, steps: list[Step], authors: "_Authors", stored: Stored) -> None:
    agent, is_new = _agent_of(row, steps[0], authors)
    if agent.is_archived:
        row.tree, row.is_again = "", True
        row.problem = f"{row.folder}: the agent “{agent.slug}” is archived. Bring it back, or remove the folder."
        return
    assert steps[-1].agent is not None
    row.agent, row.name, row.digest = agent, steps[-1].agent.content.name, steps[-1].agent.digest
    numbering = numbering_of(agent)
    latest_before = agent.draft_id if is_new else numbering.digests.get(numbering.last)
    made, ties = [], []
    for step in steps:
        assert step.agent is not None
        found = numbering.take(step.agent.digest)
        if found.kind == "new":
            made.append((found.number, step))
        elif found.kind == "met":
            ties.append((found.number, step))
    _append(agent, made, authors)
    _tie(agent, ties, GitVersion.Kind.MET)
    stored.versions += len(made)
    stored.agents += is_new
    if made and agent.draft_id == latest_before:
        _let_draft_follow(agent, made[-1][1], authors)


def _agent_of(row: GitFolder, step: Step, authors: "_Authors") -> tuple[Agent, bool]:
    """The locked agent of a folder: the one it had, the one whose address is its name, or a new one."""
    if row.agent_id is not None:
        return lock_agent(Agent(pk=row.agent_id)), False
    found = Agent.objects.filter(slug=step.folder, git_folder__isnull=True).first()
    if found is not None:
        return lock_agent(found), False
    assert step.agent is not None
    agent = create_agent(
        content=step.agent.content,
        slug=free_slug(step.folder),
        reason=f"Made from the folder {step.folder} in git",
        actor=authors.of(step.commit),
    )
    return agent, True


def _append(agent: Agent, made: list[tuple[int, Step]], authors: "_Authors") -> None:
    """Append the versions, each with its tie to the commit and its entry in the audit trail."""
    for start in range(0, len(made), BATCH):
        batch = made[start : start + BATCH]
        bodies = [step.agent.body for _, step in batch if step.agent]
        configurations = Configuration.objects.store_bodies(bodies)
        versions = AgentVersion.objects.bulk_create(
            AgentVersion(
                agent=agent,
                number=number,
                name=name_of(step.commit),
                description=description_of(step.commit),
                configuration=configuration,
                created_by=authors.of(step.commit),
            )
            for (number, step), configuration in zip(batch, configurations, strict=True)
        )
        taken = _commits_used(agent, [step for _, step in batch])
        GitVersion.objects.bulk_create(
            _tie_of(
                agent,
                version,
                step.commit,
                GitVersion.Kind.AGAIN if step.commit.id in taken else GitVersion.Kind.MADE,
            )
            for version, (_, step) in zip(versions, batch, strict=True)
        )
        for version, (_, step) in zip(versions, batch, strict=True):
            with originating(Origin(GIT, step.commit.id)):
                record(
                    action="version published",
                    subject_kind="agent",
                    subject=agent.slug,
                    reason=version.name,
                    after={
                        "version": version.number,
                        "digest": version.configuration_id,
                        "commit": step.commit.id,
                        "author": storable(step.commit.author)[:200],
                    },
                    actor=version.created_by,
                )


def _commits_used(agent: Agent, steps: list[Step]) -> set[str]:
    commits = [step.commit.id for step in steps]
    used = GitVersion.objects.filter(agent=agent, kind=GitVersion.Kind.MADE, commit__in=commits)
    return set(used.values_list("commit", flat=True))


def _tie(agent: Agent, ties: list[tuple[int, Step]], kind: GitVersion.Kind) -> None:
    if not ties:
        return
    versions = {version.number: version for version in agent.versions.filter(number__in=[number for number, _ in ties])}
    GitVersion.objects.bulk_create(
        (_tie_of(agent, versions[number], step.commit, kind) for number, step in ties), ignore_conflicts=True
    )


def _tie_of(agent: Agent, version: AgentVersion, commit: Commit, kind: GitVersion.Kind) -> GitVersion:
    return GitVersion(
        agent=agent,
        version=version,
        kind=kind,
        commit=commit.id,
        author=storable(commit.author)[:200],
        email=storable(commit.email)[:320],
        authored_at=commit.authored_at,
    )


def _let_draft_follow(agent: Agent, step: Step, authors: "_Authors") -> None:
    """The draft held nothing of its own (it was the latest version), so it goes along; any other stays as it is."""
    assert step.agent is not None
    move_draft(
        agent=agent,
        configuration=Configuration(digest=step.agent.digest, body=step.agent.body),
        content=step.agent.content,
        reason=f"Follows git: {name_of(step.commit)}",
        actor=authors.of(step.commit),
    )


def name_of(commit: Commit) -> str:
    """The name of a commit's version: its subject on one line."""
    return one_line(storable(commit.subject))[:NAME_LIMIT].rstrip() or f"Commit {commit.short}"


def description_of(commit: Commit) -> str:
    """The description of a commit's version: its body."""
    return storable(commit.body)[:DESCRIPTION_LIMIT].strip()


def storable(text: str) -> str:
    """A text of git's without what PostgreSQL cannot store."""
    return UNSTORABLE.sub("�", text)


class _Authors:
    """Who is the author of a commit's version: the one active person with its e-mail, else who set the sync."""

    def __init__(self, otherwise: User, commits: Iterable[Commit]) -> None:
        emails = {storable(commit.email).lower() for commit in commits if commit.email}
        self._otherwise = otherwise
        self._people: dict[str, list[User]] = {}
        people = User.objects.annotate(address=Lower("email")).filter(is_active=True, address__in=emails)
        for person in people:
            self._people.setdefault(person.email.lower(), []).append(person)

    def of(self, commit: Commit) -> User:
        """The author; where two people have the address, neither is meant for sure."""
        people = self._people.get(commit.email.lower(), [])
        return people[0] if len(people) == 1 else self._otherwise
