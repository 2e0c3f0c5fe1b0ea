"""Imports: a new agent, an existing agent's draft, an agent with all its versions, a history from elsewhere."""

from django.db import transaction

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.core.exchange import AgentCopy
from agentversions.core.importing.history import PastVersion, past_versions_of
from agentversions.core.reading import read_body
from agentversions.models import Agent, AgentVersion, Configuration, User

from .agents import create_agent, free_slug
from .audit import record
from .draft_pointer import lock_agent, move_draft, refuse_archived
from .drafts import replace_draft
from .errors import HistoryDiffers

BATCH = 200


def import_new_agent(*, content: AgentConfiguration, source: str, folder: str = "", actor: User) -> Agent:
    """A new agent whose draft is what was imported; `source` is the file's name."""
    return create_agent(content=content, folder=folder, reason=f"Imported from {source[:150]}", actor=actor)


def import_into_draft(
    *, agent: Agent, content: AgentConfiguration, source: str, expected: str | None = None, actor: User
) -> Agent:
    """Make an agent's draft what was imported; the draft it replaces stays in the draft history."""
    reason = f"Imported from {source[:150]}"
    return replace_draft(agent=agent, content=content, expected=expected, reason=reason, actor=actor).agent


@transaction.atomic
def import_agent_copy(*, copy: AgentCopy, folder: str | None = None, actor: User) -> Agent:
    """An exported agent with its numbers, names, dates and digests, under its slug or the next free one.

    The importer is the author here: nobody is made to have written something by a file.
    """
    agent = create_agent(
        content=read_body(copy.draft),
        slug=free_slug(copy.slug),
        folder=copy.folder if folder is None else folder,
        reason=f"Imported with {len(copy.versions)} versions",
        actor=actor,
    )
    append_past_versions(agent=agent, steps=past_versions_of(copy), actor=actor)
    _point_at(agent, copy.draft, "Imported", actor)
    return agent


@transaction.atomic
def import_history(*, slug: str, steps: tuple[PastVersion, ...], folder: str = "", actor: User) -> tuple[Agent, int]:
    """An agent with one version per step; gives it and how many versions are new. Doing it again goes on where it
    stopped. Raises HistoryDiffers when the agent has versions that are not of this history, AgentArchived."""
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        reason = f"Imported a history of {len(steps)} versions"
        agent = create_agent(content=read_body(steps[0].body), slug=slug, folder=folder, reason=reason, actor=actor)
    locked = lock_agent(agent)
    refuse_archived(locked)
    known = list(locked.versions.order_by("number").values_list("name", "created_at", "configuration_id"))
    expected = [(step.name, step.created_at, digest_of(step.body)) for step in steps[: len(known)]]
    if known != expected:
        raise HistoryDiffers(
            f"The agent “{slug}” has versions that are not of this history. Import it under another name."
        )
    new = steps[len(known) :]
    if new:
        append_past_versions(agent=locked, steps=new, actor=actor)
        _point_at(locked, new[-1].body, f"Imported {len(new)} versions", actor)
    return locked, len(new)


@transaction.atomic
def append_past_versions(*, agent: Agent, steps: tuple[PastVersion, ...], actor: User) -> None:
    """Append versions in their order, as they were: they were published elsewhere, so nothing blocks them here."""
    locked = lock_agent(agent)
    last = locked.versions.count()
    for start in range(0, len(steps), BATCH):
        batch = steps[start : start + BATCH]
        rows = Configuration.objects.store_bodies([step.body for step in batch])
        AgentVersion.objects.bulk_create(
            AgentVersion(
                agent=locked,
                number=last + start + index,
                name=step.name[:200],
                description=step.description,
                configuration=row,
                created_by=actor,
                created_at=step.created_at,
            )
            for index, (step, row) in enumerate(zip(batch, rows, strict=True), start=1)
        )
    record(
        action="versions imported",
        subject_kind="agent",
        subject=locked.slug,
        after={"from": last + 1, "to": last + len(steps)},
        actor=actor,
    )


def _point_at(agent: Agent, body: str, reason: str, actor: User) -> None:
    """Point the draft at exactly these bytes (an older export may lack fields that the schema gained since)."""
    (row,) = Configuration.objects.store_bodies([body])
    locked = lock_agent(agent)
    if locked.draft_id != row.digest:
        move_draft(agent=locked, configuration=row, content=row.load(), reason=reason, actor=actor)
