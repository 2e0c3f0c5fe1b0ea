"""What happened to an agent in a time: versions published, made live, rolled back, given to numbers; rollouts moved,
flags changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from django.db.models import Q

from agentversions.models import Agent
from channels.core.flag_words import acts_on
from channels.core.rollout_states import Move
from channels.core.rollout_words import what
from channels.core.routes import Follow, Target
from channels.models import FlagRevision, RolloutMove
from channels.services.route_events import RouteEvent, list_route_events

MOST_EVENTS = 40


@dataclass(frozen=True)
class Event:
    """Something that may have bent a curve. `head` and `base` are versions to compare (`7`, `draft`), if there are;
    `rollout` (its id) and `flag` (its key) name what it happened to instead."""

    at: datetime
    kind: str
    words: str
    head: str = ""
    base: str = ""
    rollout: int | None = None
    flag: str = ""


def list_events(agent: Agent, since: datetime, until: datetime) -> list[Event]:
    """The newest 40 of a time, the oldest first."""
    found = [
        *_published(agent, since, until),
        *_live(agent, since, until),
        *(_of_route(each) for each in list_route_events(agent, since, until)),
        *_rollouts(agent, since, until),
        *_flags(agent, since, until),
    ]
    return sorted(found, key=lambda event: event.at)[-MOST_EVENTS:]


def _published(agent: Agent, since: datetime, until: datetime) -> Iterator[Event]:
    for version in agent.versions.filter(created_at__gte=since, created_at__lt=until).order_by("-number")[:MOST_EVENTS]:
        base = str(version.number - 1) if version.number > 1 else ""
        yield Event(version.created_at, "published", f"V{version.number} published", str(version.number), base)


def _live(agent: Agent, since: datetime, until: datetime) -> Iterator[Event]:
    rows = list(
        agent.deployments.newest_first()
        .filter(created_at__lt=until)
        .select_related("version")
        .only("created_at", "is_rollback", "version__number")[: MOST_EVENTS + 1]
    )
    for row, before in zip_longest(rows, rows[1:]):
        if row.created_at < since:
            return
        words = f"Rolled back to V{row.version.number}" if row.is_rollback else f"V{row.version.number} live"
        base = str(before.version.number) if before else ""
        yield Event(row.created_at, "rollback" if row.is_rollback else "live", words, str(row.version.number), base)


def _rollouts(agent: Agent, since: datetime, until: datetime) -> Iterator[Event]:
    rows = RolloutMove.objects.filter(rollout__agent=agent, at__gte=since, at__lt=until)
    for row in rows.select_related("rollout__version").order_by("-id")[:MOST_EVENTS]:
        words = f"Rollout of V{row.rollout.version.number}: {what(Move(row.move), share=row.share).lower()}"
        yield Event(row.at, "rollout", words, rollout=row.rollout_id)


def _flags(agent: Agent, since: datetime, until: datetime) -> Iterator[Event]:
    """Each revision in words: what became of the flag since the one before."""
    rows = FlagRevision.objects.filter(created_at__gte=since, created_at__lt=until)
    rows = rows.filter(Q(flag__agent=agent) | Q(flag__agent=None)).select_related("flag").order_by("-id")
    newest = list(rows[:MOST_EVENTS])
    pairs = {(row.flag_id, row.number - 1) for row in newest}
    known = FlagRevision.objects.filter(
        flag__in={flag for flag, _ in pairs}, number__in={number for _, number in pairs}
    )
    before = {(row.flag_id, row.number): row for row in known}
    for row in newest:
        became = _became(row, before.get((row.flag_id, row.number - 1)))
        yield Event(row.created_at, "flag", f"Flag {row.flag.key} {became}", flag=row.flag.key)


def _became(row: FlagRevision, before: FlagRevision | None) -> str:
    if before is None:
        return f"created ({acts_on(row.value)})"
    if row.is_archived != before.is_archived:
        return "archived" if row.is_archived else "brought back"
    is_on, was_on = row.value.is_enabled, before.value.is_enabled
    if is_on != was_on:
        return "switched on again" if is_on else "switched off"
    return "changed"


def _of_route(event: RouteEvent) -> Event:
    numbers = f"{event.channels} number{'' if event.channels == 1 else 's'}"
    names = " / ".join(dict.fromkeys(target.word for target in event.after))
    if event.is_test:
        words = f"A/B test {names} on {numbers}"
    elif event.after[0].follow == Follow.VERSION:
        words = f"{names} pinned to {numbers}"
    else:
        words = f"{names} on {numbers}"
    return Event(event.at, "pinned", words, _key(event.after), _key(event.before))


def _key(targets: tuple[Target, ...]) -> str:
    """What the compare page calls a single target; nothing for tests and for what follows Live."""
    if len(targets) != 1 or targets[0].follow == Follow.LIVE:
        return ""
    return str(targets[0].version) if targets[0].version is not None else "draft"
