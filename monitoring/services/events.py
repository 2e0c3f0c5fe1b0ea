"""What happened to an agent in a time: versions published, made live, rolled back, given to numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from agentversions.models import Agent
from channels.core.routes import Follow, Target
from channels.services.route_events import RouteEvent, list_route_events

MOST_EVENTS = 40


@dataclass(frozen=True)
class Event:
    """Something that may have bent a curve. `head` and `base` are versions to compare (`7`, `draft`), if there are."""

    at: datetime
    kind: str
    words: str
    head: str = ""
    base: str = ""


def list_events(agent: Agent, since: datetime, until: datetime) -> list[Event]:
    """The newest 40 of a time, the oldest first."""
    found = [
        *_published(agent, since, until),
        *_live(agent, since, until),
        *(_of_route(each) for each in list_route_events(agent, since, until)),
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
