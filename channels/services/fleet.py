"""The fleet: what answers all numbers, grouped by route (a shared value, so this is quick), exceptions first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Now

from agentversions.models import Agent, AgentVersion, Deployment
from channels.core.routes import Follow, RoutePlan, Target
from channels.models import Channel, MissedNumber, Route

MOST_GROUPS = 500


@dataclass(frozen=True)
class Group:
    """Numbers that one route answers. `concern` says in words what deserves a look; `rank` orders (0 first)."""

    route: str
    plan: RoutePlan
    count: int
    off: int
    concern: str
    rank: int


@dataclass(frozen=True)
class _AgentState:
    is_archived: bool
    latest: int | None
    live: int | None


def list_fleet() -> list[Group]:
    """Every route in use, those that deserve a look first, then by how many numbers they answer."""
    counted = (
        Channel.objects.order_by()
        .values_list("route_id")
        .annotate(count=Count("pk"), off=Count("pk", filter=Q(is_enabled=False)))
        .order_by("-count")[:MOST_GROUPS]
    )
    counts = {digest: (count, off) for digest, count, off in counted}
    plans = {route.digest: route.plan for route in Route.objects.filter(digest__in=counts)}
    states = _states({slug for plan in plans.values() for slug in plan.agents})
    groups = []
    for digest, (count, off) in counts.items():
        rank, concern = _concern(plans[digest], states)
        groups.append(Group(digest, plans[digest], count, off, concern, rank))
    return sorted(groups, key=lambda group: (group.rank, -group.count, str(group.plan)))


def _states(slugs: set[str]) -> dict[str, _AgentState]:
    latest = AgentVersion.objects.filter(agent=OuterRef("pk")).newest_first()
    live = Deployment.objects.filter(agent=OuterRef("pk")).newest_first()
    rows: Any = Agent.objects.filter(slug__in=slugs).annotate(
        latest=Subquery(latest.values("number")[:1]), live=Subquery(live.values("version__number")[:1])
    )
    return {agent.slug: _AgentState(agent.is_archived, agent.latest, agent.live) for agent in rows}


def _concern(plan: RoutePlan, states: dict[str, _AgentState]) -> tuple[int, str]:
    """The most serious thing about a route: its rank and its words."""
    found = [_concern_of(target, states[target.agent]) for target in plan.targets]
    if plan.is_test:
        found.append((3, "In an A/B test"))
    return min(found)


def _concern_of(target: Target, state: _AgentState) -> tuple[int, str]:
    if state.is_archived:
        return 0, f"{target.agent} is archived"
    if target.follow == Follow.DRAFT:
        return 1, "Every edit of the draft is heard"
    if target.version is not None and target.version not in {state.live, state.latest}:
        newest = f"V{state.live} is live" if state.live else f"V{state.latest} is the newest"
        return 2, f"An old version: {newest}"
    return 4, ""


def chosen_channels(routes: Sequence[str], addresses: Sequence[str]) -> list[Channel]:
    """The channels of these routes, and these channels, each once."""
    found = Channel.objects.with_route().filter(Q(route__in=routes) | Q(address__in=addresses))
    return list(found.order_by("address"))


def missed_numbers(*, days: int) -> list[MissedNumber]:
    """Numbers that callers reached lately and that answered 404, the newest first."""
    rows = MissedNumber.objects.filter(last_at__gt=Now() - timedelta(days=days))
    return list(rows.order_by("-last_at")[:200])
