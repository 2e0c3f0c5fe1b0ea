"""Publishing and restoring: each copies one pointer and writes one small row."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from agentversions.core.problems import blocking, find_problems
from agentversions.core.version_words import description_error, name_error, one_line
from agentversions.models import Agent, AgentVersion, Configuration, User

from .audit import record
from .draft_pointer import lock_agent, move_draft, refuse_archived
from .errors import DraftMoved, NameMissing, NothingToPublish, NotPublishable, PublishedMeanwhile, UnknownVersion
from .git.queue import queue_writing


@transaction.atomic
def publish(
    *,
    agent: Agent,
    name: str,
    description: str = "",
    expected: str | None = None,
    latest_seen: int | None = None,
    allow_identical: bool = True,
    created_at: datetime | None = None,
    actor: User,
) -> AgentVersion:
    """Make the draft version last + 1. The draft stays untouched.

    `expected` (a digest) is the draft the publisher saw, `latest_seen` the newest version's number they saw (0: none).
    Raises DraftMoved or PublishedMeanwhile when it is not so any more, NameMissing (also for a name or description that
    cannot be stored), NotPublishable with the problems, NothingToPublish when the draft is identical to a version and
    `allow_identical` is off, AgentArchived. `created_at` is only for an imported history; otherwise the database's
    clock says when.
    """
    locked = lock_agent(agent)
    refuse_archived(locked)
    if latest_seen is not None:
        _refuse_newer_version(locked, latest_seen)
    if expected is not None and locked.draft_id != expected:
        raise DraftMoved("The draft changed since you opened this. Look at the changes, then publish.", locked.draft_id)
    if error := name_error(name) or description_error(description):
        raise NameMissing(error)
    problems = blocking(find_problems(locked.draft.load()))
    if problems:
        raise NotPublishable(problems)
    if not allow_identical and (same := identical_version(locked)) is not None:
        raise NothingToPublish(same)
    version = _append_version(locked, locked.draft, one_line(name), description.strip(), created_at, actor)
    queue_writing()
    return version


def _refuse_newer_version(locked: Agent, latest_seen: int) -> None:
    """Two tabs that publish the same draft: the second one is asked instead of adding a silent duplicate."""
    newer = locked.versions.filter(number__gt=latest_seen).newest_first().without_body().first()
    if newer is not None:
        raise PublishedMeanwhile(newer)


def _append_version(
    locked: Agent, configuration: Configuration, name: str, description: str, created_at: datetime | None, actor: User
) -> AgentVersion:
    last = locked.versions.aggregate(last=Max("number"))["last"] or 0
    times = {"created_at": created_at} if created_at else {}
    version = AgentVersion.objects.create(
        agent=locked,
        number=last + 1,
        name=name,
        description=description,
        configuration=configuration,
        created_by=actor,
        **times,
    )
    record(
        action="version published",
        subject_kind="agent",
        subject=locked.slug,
        reason=name,
        after={"version": version.number, "digest": configuration.digest},
        actor=actor,
    )
    return version


def identical_version(agent: Agent) -> AgentVersion | None:
    """The newest version that has exactly the draft's configuration."""
    return agent.versions.filter(configuration_id=agent.draft_id).newest_first().first()


def published_after_all(
    *, agent: Agent, name: str, expected: str, latest_seen: int, actor: User
) -> AgentVersion | None:
    """What a publish left behind whose connection broke at its very end: the version itself, or None for nothing."""
    mine = agent.versions.filter(created_by=actor, name=one_line(name), configuration_id=expected)
    found: AgentVersion | None = mine.filter(number__gt=latest_seen).select_related("agent").newest_first().first()
    return found


def latest_version(agent: Agent) -> AgentVersion | None:
    """The agent's newest version, with its configuration and author."""
    return agent.versions.newest_first().select_related("configuration", "created_by").first()


def get_version(agent: Agent, number: int) -> AgentVersion:
    """One version with its configuration and author. Raises UnknownVersion."""
    version = agent.versions.filter(number=number).select_related("configuration", "created_by").first()
    if version is None:
        raise UnknownVersion(f"“{agent.name}” has no version {number}.")
    return version


@dataclass(frozen=True)
class Restored:
    """What a restore did: the agent, the draft's digest before it (for Undo), the version published first, if any."""

    agent: Agent
    replaced: str
    published: AgentVersion | None


@transaction.atomic
def restore_version(
    *, version: AgentVersion, publish_first_as: str | None = None, expected: str | None = None, actor: User
) -> Restored:
    """Point the draft at a version's configuration; its digest afterwards equals the version's, exactly.

    With `publish_first_as` the draft it replaces becomes a version of that name in the same transaction. The replaced
    draft stays in the draft history in any case. Raises what `publish` raises.
    """
    locked = lock_agent(version.agent)
    refuse_archived(locked)
    if expected is not None and locked.draft_id != expected:
        raise DraftMoved("The draft changed since you opened this. Look at the difference again.", locked.draft_id)
    published = None
    if publish_first_as is not None:
        published = publish(agent=locked, name=publish_first_as, actor=actor)
    replaced = locked.draft_id
    configuration = version.configuration
    if configuration.digest != replaced:
        move_draft(
            agent=locked,
            configuration=configuration,
            content=configuration.load(),
            reason=f"Restored V{version.number}",
            actor=actor,
        )
    record(
        action="version restored",
        subject_kind="agent",
        subject=locked.slug,
        before={"digest": replaced},
        after={"version": version.number, "digest": configuration.digest},
        actor=actor,
    )
    return Restored(locked, replaced, published)


@transaction.atomic
def take_back_draft(
    *, agent: Agent, digest: str, expected: str | None = None, reason: str = "", actor: User
) -> Restored:
    """Point the draft at one of its own former states (Undo of a restore, or a row of the draft history).

    Raises UnknownVersion when the digest never was a state of this draft, DraftMoved as `publish` does.
    """
    locked = lock_agent(agent)
    refuse_archived(locked)
    if expected is not None and locked.draft_id != expected:
        raise DraftMoved("The draft changed since then. Take it back from the draft history instead.", locked.draft_id)
    state = Configuration.objects.filter(digest=digest).first()
    if state is None or not locked.history.filter(draft_id=digest).exists():
        raise UnknownVersion("This was never a state of this draft.")
    replaced = locked.draft_id
    if digest != replaced:
        words = reason or f"Taken back to {digest[:8]}"
        move_draft(agent=locked, configuration=state, content=state.load(), reason=words, actor=actor)
        record(
            action="draft taken back",
            subject_kind="agent",
            subject=locked.slug,
            reason=words,
            before={"digest": replaced},
            after={"digest": digest},
            actor=actor,
        )
    return Restored(locked, replaced, None)
