"""The A/B test of a channel, with the periods in which it answered and the shares of each."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from channels.core.routes import RoutePlan, Target
from channels.models import Channel, Route

MOST_CHANGES = 500
"""Changes of a channel that are looked back; a test that was changed more often begins with the oldest of these."""


@dataclass(frozen=True)
class Period:
    """What answered from a moment until another (None: now). No `plan`: something else than the test."""

    since: datetime
    until: datetime | None
    route: str
    plan: RoutePlan | None


@dataclass(frozen=True)
class AbTest:
    """A test of a channel: the same salt, names and targets. Shares may change; the test goes on then.

    `periods` follow one another without a gap from the first to the last of the test; others may lie between.
    """

    channel: Channel
    periods: tuple[Period, ...]

    @property
    def since(self) -> datetime:
        """When it began."""
        return self.periods[0].since

    @property
    def until(self) -> datetime | None:
        """When it ended; None while it runs."""
        return self.periods[-1].until

    @property
    def plan(self) -> RoutePlan:
        """The test with its latest shares."""
        plan = self.periods[-1].plan
        assert plan is not None
        return plan

    @property
    def targets(self) -> dict[str, Target]:
        """What each variant answers with, the control first."""
        return {variant.name: variant.target for variant in self.plan.variants}

    @property
    def shares(self) -> dict[str, dict[str, int]]:
        """For each route of the test the buckets of each variant."""
        return {
            period.route: {variant.name: variant.share for variant in period.plan.variants}
            for period in self.periods
            if period.plan
        }


def find_test(channel: Channel) -> AbTest | None:
    """The test that answers a channel, else the last one that did; None when there was none."""
    rows = _changes(channel)
    plans = {route.digest: route.plan for route in Route.objects.filter(digest__in={row["route_id"] for row in rows})}
    last = next((at for at in range(len(rows) - 1, -1, -1) if plans[rows[at]["route_id"]].is_test), None)
    if last is None:
        return None
    ours = {digest for digest, plan in plans.items() if _is_same(plan, plans[rows[last]["route_id"]])}
    first = next(at for at, row in enumerate(rows) if row["route_id"] in ours)
    ends = [row["history_date"] for row in rows[1:]] + [None]
    return AbTest(
        channel,
        tuple(
            Period(
                row["history_date"], end, row["route_id"], plans[row["route_id"]] if row["route_id"] in ours else None
            )
            for row, end in list(zip(rows, ends, strict=True))[first : last + 1]
        ),
    )


def _changes(channel: Channel) -> list[dict[str, Any]]:
    """The changes of the channel's route, oldest first: rows that changed its label or switched it off are none."""
    newest = Channel.history.filter(id=channel.pk).order_by("-history_id").values("route_id", "history_date")
    rows = list(newest[:MOST_CHANGES])[::-1]
    return rows[:1] + [row for before, row in pairwise(rows) if row["route_id"] != before["route_id"]]


def _is_same(plan: RoutePlan, other: RoutePlan) -> bool:
    def identity(of: RoutePlan) -> tuple[str, dict[str, Target]]:
        return of.salt, {variant.name: variant.target for variant in of.variants}

    return plan.is_test and identity(plan) == identity(other)
