"""When channels began to be answered by an agent, or by another version of it: what charts mark."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from agentversions.models import Agent
from channels.core.routes import RoutePlan, Target
from channels.models import Route

MOST_CHANGES = 5_000
MOST_EVENTS = 60
MOVES = """
    WITH moves AS (
        SELECT h.history_date AS at, h.route_id AS after, (
            SELECT p.route_id FROM channels_historicalchannel p
            WHERE p.id = h.id AND p.history_id < h.history_id ORDER BY p.history_id DESC LIMIT 1
        ) AS before
        FROM channels_historicalchannel h
        WHERE h.route_id IN (SELECT route_id FROM channels_routetarget WHERE agent_id = %s)
              AND h.history_date >= %s AND h.history_date < %s
        ORDER BY h.history_date DESC LIMIT %s
    )
    SELECT min(at), before, after, count(*) FROM moves WHERE before IS DISTINCT FROM after
    GROUP BY date_trunc('minute', at), before, after ORDER BY 1 DESC LIMIT %s
"""


@dataclass(frozen=True)
class RouteEvent:
    """Channels that moved in the same minute in the same way: what of the agent answers them, and what did before."""

    at: datetime
    channels: int
    before: tuple[Target, ...]
    after: tuple[Target, ...]
    is_test: bool


def list_route_events(agent: Agent, since: datetime, until: datetime) -> list[RouteEvent]:
    """The newest first, from the newest 5,000 changes of channels that lead to the agent; moves away are left out."""
    with connection.cursor() as cursor:
        cursor.execute(MOVES, [agent.pk, since, until, MOST_CHANGES, MOST_EVENTS])
        rows = cursor.fetchall()
    digests = {digest for _, before, after, _ in rows for digest in (before, after) if digest}
    plans = {route.digest: route.plan for route in Route.objects.filter(digest__in=digests)}
    return [
        RouteEvent(
            at,
            count,
            _targets_of(agent, [plans[before]] if before else []),
            _targets_of(agent, [plans[after]]),
            plans[after].is_test,
        )
        for at, before, after, count in rows
    ]


def _targets_of(agent: Agent, plans: Iterable[RoutePlan]) -> tuple[Target, ...]:
    return tuple(target for plan in plans for target in plan.targets if target.agent == agent.slug)
