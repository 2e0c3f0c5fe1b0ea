"""Stores what commits did to agents: new agents, versions, ties to commits, and what could not be read."""

from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from agentversions.core.git.folders import AgentFolder
from agentversions.core.git.history import Known, Step
from agentversions.core.git.objects import Commit
from agentversions.models import Agent, Configuration, GitFolder, GitSource
from agentversions.models.database import ClockTimestamp
from agentversions.services.agents import create_agent, free_slug
from agentversions.services.draft_pointer import lock_agents, move_drafts, point_draft
from config.origin import GIT, Origin, originating

from .appending import Placed, append_versions, name_of, tie_versions
from .authors import Authors
from .errors import GitFailed
from .numberings import numberings_of

WRITTEN_FIELDS = [
    "folder", "agent", "tree", "name", "digest", "commit", "is_removed", "is_again", "problem", "changed_at",
]  # fmt: skip


class SourceMoved(GitFailed):
    """The settings, or how far was read, changed meanwhile; whoever changed it goes on."""


@dataclass
class Stored:
    """What was stored: how many versions and agents are new, and every folder that could not be read, in words."""

    versions: int = 0
    agents: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Reading:
    """The configurations that commits hold of one agent, oldest first."""

    row: GitFolder
    agent: Agent
    is_new: bool
    states: list[tuple[Commit, AgentFolder]]


def known_folders() -> dict[str, Known]:
    """What was read of each folder last, as a walk needs it."""
    return {
        row.folder: Known(row.tree, row.name, row.digest, is_present=not row.is_removed)
        for row in GitFolder.objects.all()
    }


@transaction.atomic
def store_steps(*, source: GitSource, steps: list[Step], seen: str, is_last: bool) -> Stored:
    """Store the steps of some commits in one transaction, and note that `seen` is the newest commit that was read.

    The number of queries grows with new agents, not with steps. Raises SourceMoved when somebody else stored or set
    something since `source` was read."""
    locked = GitSource.objects.select_for_update().get(pk=source.pk)
    for name in ("address", "branch", "folder", "seen_commit", "is_suspended", "rewritten_head"):
        if getattr(locked, name) != getattr(source, name):
            raise SourceMoved("The settings of the repository changed meanwhile. It begins again.")
    stored = Stored()
    if steps:
        _store(steps, Authors(source.configured_by, [step.commit for step in steps]), stored)
    source.seen_commit = locked.seen_commit = seen
    fields = ["seen_commit"]
    if is_last:
        locked.takes_only_head = source.takes_only_head = False
        fields.append("takes_only_head")
    locked.save(update_fields=fields)
    return stored


def _store(steps: list[Step], authors: Authors, stored: Stored) -> None:
    rows = {row.folder: row for row in GitFolder.objects.all()}
    names = {row.pk: row.folder for row in rows.values()}
    by_row = sorted(_by_row(steps, rows), key=lambda pair: pair[0].folder)
    for row, own in by_row:
        _note(row, own[-1])
    readings = _readings(by_row, authors)
    _store_versions(readings, authors, stored)
    stored.problems += [row.problem for row, _ in by_row if row.problem]
    read = {id(reading.row) for reading in readings}
    kept = [row for row, _ in by_row if row.pk or not row.is_removed or id(row) in read]
    _save(kept, names)


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


def _note(row: GitFolder, last: Step) -> None:
    row.tree, row.commit, row.changed_at = ("" if last.is_again else last.tree), last.commit.id, ClockTimestamp()
    row.is_removed, row.is_again, row.problem = last.is_removed, last.is_again, last.refused


def _readings(by_row: list[tuple[GitFolder, list[Step]]], authors: Authors) -> list[_Reading]:
    """Each folder's locked agent: the one it had, the one whose address is its name, or a new one."""
    wanted = [(row, read) for row, own in by_row if (read := [step for step in own if step.agent])]
    names = {read[0].folder for row, read in wanted if row.agent_id is None}
    free = dict(Agent.objects.filter(slug__in=names, git_folder__isnull=True).values_list("slug", "pk"))
    keys = [row.agent_id or free.pop(read[0].folder, None) for row, read in wanted]
    agents = lock_agents([key for key in keys if key])
    readings = []
    for (row, read), key in zip(wanted, keys, strict=True):
        states = [(step.commit, step.agent) for step in read if step.agent]
        agent = agents[key] if key else _create(read[0].folder, *states[0], authors)
        readings.append(_Reading(row, agent, not key, states))
    return readings


def _create(folder: str, commit: Commit, state: AgentFolder, authors: Authors) -> Agent:
    with originating(Origin(GIT, commit.id)):
        return create_agent(
            content=state.content,
            slug=free_slug(folder),
            reason=f"Made from the folder {folder} in git",
            actor=authors.of(commit),
        )


def _store_versions(readings: list[_Reading], authors: Authors, stored: Stored) -> None:
    numberings = numberings_of([reading.agent.pk for reading in readings])
    made: list[Placed] = []
    met: list[Placed] = []
    following: list[Agent] = []
    for reading in readings:
        row, agent = reading.row, reading.agent
        if agent.is_archived:
            row.tree, row.is_again = "", True
            row.problem = f"{row.folder}: the agent “{agent.slug}” is archived. Bring it back, or remove the folder."
            continue
        last = reading.states[-1][1]
        row.agent, row.name, row.digest = agent, last.content.name, last.digest
        numbering = numberings[agent.pk]
        latest = agent.draft_id if reading.is_new else numbering.digests.get(numbering.last)
        newest: Placed | None = None
        for commit, state in reading.states:
            found = numbering.take(state.digest)
            placed = Placed(agent, found.number, commit, state)
            if found.kind == "new":
                newest = placed
                made.append(placed)
            elif found.kind == "met":
                met.append(placed)
        stored.agents += reading.is_new
        if newest and agent.draft_id == latest:
            _let_draft_follow(newest, authors)
            following.append(agent)
    append_versions(made, authors)
    tie_versions(met)
    move_drafts(following)
    stored.versions += len(made)


def _let_draft_follow(newest: Placed, authors: Authors) -> None:
    """The draft held nothing of its own (it was the latest version), so it goes along; any other stays as it is."""
    point_draft(
        agent=newest.agent,
        configuration=Configuration(digest=newest.folder.digest, body=newest.folder.body),
        content=newest.folder.content,
        reason=f"Follows git: {name_of(newest.commit)}",
        actor=authors.of(newest.commit),
    )


def _save(rows: list[GitFolder], names: dict[int, str]) -> None:
    """Write the rows; `names` are those that the database has. A folder may take the name that another gives up."""
    renamed = [row.pk for row in rows if row.pk and names[row.pk] != row.folder]
    if renamed:
        # No folder has a slash in its name, so nobody stands in anybody's way.
        aside = Concat(Value("/"), Cast("pk", CharField()))
        GitFolder.objects.filter(pk__in=renamed).update(folder=aside)
    GitFolder.objects.bulk_update([row for row in rows if row.pk], WRITTEN_FIELDS)
    GitFolder.objects.bulk_create([row for row in rows if not row.pk])
