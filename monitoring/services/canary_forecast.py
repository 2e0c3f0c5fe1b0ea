"""Before a rollout starts: how long it takes at this agent's traffic and error rate."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from agentversions.models import Agent
from agentversions.models.database import database_now
from agentversions.services.deployments import live_version
from channels.core.rollout_judging import Counts, Judging, Rule
from channels.core.rollout_steps import RolloutPlan
from monitoring.core.canary_plan import policy_of
from monitoring.core.canary_planning import Plan, in_days, plan
from monitoring.core.canary_policy import OFTEN, Policy

WINDOW = timedelta(days=28)
FEWEST = 20
"""Calls of the last four weeks below which nobody can say anything."""
STATEMENT = """
SELECT count(*) FILTER (WHERE version > 0), count(*) FILTER (WHERE version > 0 AND is_error),
    count(*) FILTER (WHERE version = %(live)s), count(*) FILTER (WHERE version = %(live)s AND is_error),
    min(started_at) FILTER (WHERE version > 0)
FROM monitoring_call WHERE agent_id = %(agent)s AND started_at >= %(since)s AND started_at < %(now)s AND NOT is_test
"""


@dataclass(frozen=True)
class Forecast:
    """What is known of the agent's calls, and what a rollout would take; without `plan` nobody can say, and `why`.

    `calls` and `failed` are of the last four weeks, of the live version where it had enough, `is_live`.
    """

    calls: int
    failed: int
    is_live: bool
    calls_a_day: float
    plan: Plan | None
    why: str = ""
    advice: str = ""

    @property
    def days(self) -> str:
        """How long, in a few words."""
        return in_days(self.plan.days) if self.plan else ""


def forecast(agent: Agent, wanted: RolloutPlan, judging: Judging) -> Forecast:
    """From the agent's calls of the last four weeks; an agent that is new counts the days since its first call.

    Calls of numbers that are pinned to a version count too, although a rollout does not reach them.
    """
    now, live = database_now(), live_version(agent)
    values: dict[str, Any] = {"agent": agent.pk, "since": now - WINDOW, "now": now, "live": live.number if live else -1}
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, values)
        calls, failed, of_live, failed_of_live, first = cursor.fetchone()
    a_day = calls / max((now - first).total_seconds() / 86_400, 1.0) if first else 0.0
    is_live = of_live >= FEWEST
    if is_live:
        calls, failed = of_live, failed_of_live
    if calls < FEWEST:
        known = f"{calls} call{'' if calls == 1 else 's'}" if calls else "no call"
        why = f"Only {known} of this agent is known from the last four weeks: nobody can say how long it takes."
        return Forecast(calls, failed, is_live, a_day, None, why.replace("Only no", "No"))
    policy = policy_of(wanted, judging)
    if problems := policy.problems():
        return Forecast(calls, failed, is_live, a_day, None, problems[0])
    # One failure more in twenty calls more, so that an agent without any has a rate; the forecast says which.
    rate = failed / calls if 0 < failed < calls else (failed + 1) / (calls + 20)
    if judging.rule == Rule.THRESHOLD:
        return Forecast(calls, failed, is_live, a_day, None, _simple(policy, a_day))
    found = plan(policy, failure_rate=rate, calls_a_day=a_day)
    return Forecast(calls, failed, is_live, a_day, found, advice=_advice(policy, rate))


def _simple(policy: Policy, a_day: float) -> str:
    days = max(policy.least_sample / (a_day * policy.steps[0].share / 100_000), policy.steps[0].soak / 86_400)
    return (
        f"The simple rule decides the first step after {policy.least_sample:,} canary calls, in about {in_days(days)}; "
        "on so few calls it often errs."
    )


def _advice(policy: Policy, rate: float) -> str:
    if rate > OFTEN and policy.counts == Counts.FAILURES:
        return "More than 30 % of calls fail: let it count successful calls instead, which decides sooner."
    if rate <= OFTEN and policy.counts == Counts.SUCCESSES:
        return "Most calls succeed: let it count failed calls instead, which decides sooner."
    return ""
