"""The fleet: what answers all numbers, grouped by route (a shared value, so this is quick), exceptions first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Now

from agentversions.models import Agent, AgentVersion, Deployment
from channels.core.routes import Follow, RoutePlan, Target
from channels.models import Channel, DraftServing, MissedNumber, Route

MOST_RANKED = 5_000
"""Routes that are looked at, those with the most numbers first."""
MOST_SHOWN = 300
MOST_MISSED = 200


class Rank(IntEnum):
    """Why a route deserves a look; the most serious first."""

    ARCHIVED = 0
    DRAFT = 1
    OLD = 2
    TEST = 3
    FINE = 4

    @property
    def words(self) -> str:
        """The heading of its groups."""
        return _WORDS[self]


_WORDS = {
    Rank.ARCHIVED: "An archived agent answers",
    Rank.DRAFT: "A draft answers",
    Rank.OLD: "An old version answers",
    Rank.TEST: "In an A/B test",
    Rank.FINE: "Live, or the newest version",
}


@dataclass(frozen=True)
class Group:
    """Numbers that one route answers. `concern` says in words what deserves a look."""

    route: str
    plan: RoutePlan
    count: int
    off: int
    concern: str
    rank: Rank


@dataclass(frozen=True)
class Section:
    """All groups of one rank, with the sum of their numbers."""

    rank: Rank
    groups: list[Group]

    @property
    def count(self) -> int:
        """Numbers in all its groups."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True)
class Fleet:
    """The board; `left_out` are routes that were not looked at or are not shown."""

    sections: list[Section]
    count: int
    left_out: int


@dataclass(frozen=True)
class _AgentState:
    name: str
    is_archived: bool
    latest: int | None
    live: int | None
    waits: bool


def list_fleet() -> Fleet:
    """Every route in use, those that deserve a look first, then by how many numbers they answer."""
    counted = list(
        Channel.objects.order_by()
        .values_list("route_id")
        .annotate(count=Count("pk"), off=Count("pk", filter=Q(is_enabled=False)))
        .order_by("-count", "route_id")
    )
    counts = {digest: (count, off) for digest, count, off in counted[:MOST_RANKED]}
    plans = {route.digest: route.plan for route in Route.objects.filter(digest__in=counts)}
    states = _states({slug for plan in plans.values() for slug in plan.agents})
    groups = []
    for digest, (count, off) in counts.items():
        rank, concern = _concern(plans[digest], states)
        groups.append(Group(digest, plans[digest], count, off, concern, rank))
    groups.sort(key=lambda group: (group.rank, -group.count, str(group.plan)))
    shown = groups[:MOST_SHOWN]
    sections = [Section(rank, [group for group in shown if group.rank == rank]) for rank in Rank]
    return Fleet(
        [section for section in sections if section.groups],
        sum(count for _, count, _ in counted),
        len(counted) - len(shown),
    )


def _states(slugs: set[str]) -> dict[str, _AgentState]:
    latest = AgentVersion.objects.filter(agent=OuterRef("pk")).newest_first()
    live = Deployment.objects.filter(agent=OuterRef("pk")).newest_first()
    waits = DraftServing.objects.filter(agent=OuterRef("pk"), applied__isnull=False)
    rows: Any = Agent.objects.filter(slug__in=slugs).annotate(
        latest=Subquery(latest.values("number")[:1]),
        live=Subquery(live.values("version__number")[:1]),
        waits=Subquery(waits.values("pk")[:1]),
    )
    return {
        agent.slug: _AgentState(agent.name, agent.is_archived, agent.latest, agent.live, agent.waits is not None)
        for agent in rows
    }


def _concern(plan: RoutePlan, states: dict[str, _AgentState]) -> tuple[Rank, str]:
    """The most serious thing about a route: its rank and its words."""
    found = [_concern_of(target, states[target.agent]) for target in plan.targets]
    return min([*found, (Rank.TEST, "")] if plan.is_test else found)


def _concern_of(target: Target, state: _AgentState) -> tuple[Rank, str]:
    if state.is_archived:
        return Rank.ARCHIVED, f"“{state.name}” is archived"
    if target.follow == Follow.DRAFT:
        return Rank.DRAFT, "Edits reach callers after Apply" if state.waits else "Every edit reaches callers at once"
    if target.version is not None and target.version not in {state.live, state.latest}:
        newest = f"V{state.live} is live" if state.live else f"V{state.latest} is the newest"
        return Rank.OLD, f"V{target.version} is old: {newest}"
    return Rank.FINE, ""


def chosen_channels(routes: Sequence[str], addresses: Sequence[str]) -> Any:
    """The channels of these routes, and these channels, as a query."""
    return Channel.objects.filter(Q(route__in=_found(routes)) | Q(address__in=_found(addresses)))


def _found(texts: Iterable[str]) -> list[str]:
    # PostgreSQL refuses NUL, and nothing has one in its name.
    return [text for text in texts if "\x00" not in text]


def missed_numbers(*, days: int) -> list[MissedNumber]:
    """Numbers that callers reached lately and that answered 404, the newest first."""
    return list(_missed(days).order_by("-last_at")[:MOST_MISSED])


def count_missed(*, days: int) -> int:
    """How many numbers callers reached lately without an answer."""
    return int(_missed(days).count())


def _missed(days: int) -> Any:
    return MissedNumber.objects.filter(last_at__gt=Now() - timedelta(days=days))
