"""A rollout's figures from a Prometheus server: how often each version failed while each share was in force.

Prometheus knows no callers and no splits. So the callers of each arm and the number of its calls come from the routing
that was recorded here; Prometheus says how many of them it counted, and which part of these failed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from string import Template
from typing import Any

from django.conf import settings
from django.db import connection

from channels.core.rollout_clock import Standing
from channels.core.rollout_judging import Judging
from channels.core.rollout_steps import Arm
from channels.models import Rollout
from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_observations import ArmCalls, Observations

from .canary_counts import SLACK, CanaryCounts
from .prometheus import NoFigures, Prometheus

MOST_SAMPLES = 1_000
ROUTED = """
SELECT share, arm, count(*), count(*) FILTER (WHERE at < %(missing_before)s), count(*) FILTER (WHERE is_first), max(id)
FROM (
    SELECT id, share, arm, at,
        caller_hash IS NOT NULL AND row_number() OVER (PARTITION BY caller_hash ORDER BY at, id) = 1 AS is_first
    FROM channels_routedcall WHERE rollout_id = %(rollout)s AND at >= %(from)s
) AS calls GROUP BY share, arm
"""


@dataclass(frozen=True)
class _Part:
    """An arm at a share: calls routed, those of them that are old enough to be over, and first calls of callers."""

    routed: int = 0
    over: int = 0
    callers: int = 0


def count_from_prometheus(
    rollout: Rollout, judging: Judging, at: Standing, *, missing_before: datetime
) -> CanaryCounts:
    """The figures of a rollout from the server at `PROMETHEUS_URL`. Raises NoFigures.

    Four questions for each share that was in force. Each call counts as if it were another caller's.
    """
    parts, routed_to = _routed(rollout, at, missing_before)
    server = Prometheus()
    numbers = {Arm.CANARY: rollout.version.number, Arm.STABLE: rollout.baseline.number}
    calls: dict[Arm, ArmCalls] = {arm: ArmCalls() for arm in Arm}
    failed: dict[int, tuple[float, float]] = {}
    lost: dict[int, tuple[float, float]] = {}
    for share, spans in _spans(at).items():
        found = {
            arm: _arm(server, rollout.agent.slug, number, spans, parts.get((share, arm), _Part()))
            for arm, number in numbers.items()
        }
        failed[share] = (found[Arm.CANARY].failed, found[Arm.STABLE].failed)
        lost[share] = (found[Arm.CANARY].missing, found[Arm.STABLE].missing)
        calls = {arm: _sum(calls[arm], found[arm]) for arm in Arm}
    labels, missing = Labels.of(failed), Labels.of(lost)
    seen = Observations(
        step=at.step,
        seconds_in_step=at.seconds_in_step,
        seconds=at.seconds,
        canary=calls[Arm.CANARY],
        stable=calls[Arm.STABLE],
        callers=Labels.of(
            {
                share: (
                    parts.get((share, Arm.CANARY), _Part()).callers,
                    parts.get((share, Arm.STABLE), _Part()).callers,
                )
                for share in {share for share, _ in parts}
            }
        ),
        labels=labels,
        labels_or_missing=labels.plus(missing),
        missing=missing,
    )
    return CanaryCounts(seen, routed_to, 0)


def _routed(rollout: Rollout, at: Standing, missing_before: datetime) -> tuple[dict[tuple[int, Arm], _Part], int]:
    values: dict[str, Any] = {
        "rollout": rollout.pk,
        "from": at.since if at.is_anew else at.since - SLACK,
        "missing_before": missing_before,
    }
    with connection.cursor() as cursor:
        cursor.execute(ROUTED, values)
        rows = cursor.fetchall()
    parts = {(share, Arm(arm)): _Part(*counts) for share, arm, *counts, _ in rows}
    return parts, max((row[-1] for row in rows), default=0)


def _spans(at: Standing) -> dict[int, list[tuple[datetime, datetime]]]:
    """When each share was in force; what lasted on over a pause is one span."""
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for share, since, until in at.periods:
        known = spans.setdefault(share, [])
        if known and known[-1][1] == since:
            known[-1] = (known[-1][0], until)
        else:
            known.append((since, until))
    return spans


def _arm(
    server: Prometheus, agent: str, version: int, spans: Iterable[tuple[datetime, datetime]], routed: _Part
) -> ArmCalls:
    """Pins reach a version past the split, so that at most as many calls count as were routed."""
    names = {"agent": agent, "version": str(version)}
    calls, rate = Template(settings.PROMETHEUS_CALLS), Template(settings.PROMETHEUS_ERROR_RATE)
    counted = failures = 0.0
    for since, until in spans:
        seconds = max(round((until - since).total_seconds()), 1)
        number = server.number(f"sum(increase({calls.safe_substitute(names)}[{seconds}s]))", until) or 0.0
        # A rate of no calls is no number; the comparison leaves it out.
        step = max(seconds // MOST_SAMPLES, 1)
        inside = f"({rate.safe_substitute(names)} >= 0)[{seconds}s:{step}s]"
        part = server.number(f"avg(avg_over_time({inside}))", until)
        if number >= 1 and part is None:
            raise NoFigures(
                f"Prometheus counts {number:,.0f} calls of V{version} but has no "
                f"“{rate.safe_substitute(names)}”. Record that rate, or set PROMETHEUS_ERROR_RATE."
            )
        if part is not None and part > 1:
            raise NoFigures(f"“{rate.safe_substitute(names)}” is {part:g}, but a rate is from 0 to 1.")
        counted, failures = counted + number, failures + number * (part or 0.0)
    recorded = min(round(counted), routed.routed)
    failed = min(round(recorded * failures / counted), recorded) if counted else 0
    return ArmCalls(due=recorded + max(routed.over - recorded, 0), recorded=recorded, failed=failed)


def _sum(one: ArmCalls, other: ArmCalls) -> ArmCalls:
    return ArmCalls(one.due + other.due, one.recorded + other.recorded, one.failed + other.failed)
