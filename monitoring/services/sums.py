"""Reads the figures of an agent for a period of the reader's: whole rows of the figures, and the calls that a zone's
midnight cuts off them. Test calls are left out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from monitoring.core.periods import Period, Spans, spans_of
from monitoring.core.rollups import DAY, DURATION, HOUR, MONTH, Rollup

from .counting import EXPRESSIONS, condition_of

Key = tuple[int, Any]
CALLS = "SELECT * FROM monitoring_call WHERE agent_id = %(agent)s AND NOT is_test"
"""Of a range of times, with OFFSET 0 behind it: the planner then looks each range up in the key, one after another."""


def sums_by_slot(agent: int, period: Period, versions: Sequence[int]) -> dict[Key, tuple[int, ...]]:
    """The sums by hour of some versions: (version, slot from 0) → `monitoring.core.figures.NAMES`.

    In zones with half hours the calls of every hour with a boundary inside are counted one by one.
    """
    kept = f"""
        SELECT version, width_bucket(hour, %(boundaries)s::timestamptz[]) - 1, {_added(HOUR)}
        FROM {HOUR.table}
        WHERE agent_id = %(agent)s AND version = ANY(%(versions)s) AND NOT is_test
              AND hour >= %(since)s AND hour < %(until)s AND hour <> ALL(%(cut)s::timestamptz[])
        GROUP BY 1, 2
    """  # noqa: S608 our own column names
    counted = f"""
        SELECT {EXPRESSIONS["version"]}, width_bucket(started_at, %(boundaries)s::timestamptz[]) - 1, {_counted(HOUR)}
        FROM unnest(%(cut)s::timestamptz[]) AS cut (cut), LATERAL (
            {CALLS} AND started_at >= cut AND started_at < cut + interval '1 hour' OFFSET 0
        ) AS calls
        WHERE started_at >= %(since)s AND started_at < %(until)s AND {EXPRESSIONS["version"]} = ANY(%(versions)s)
        GROUP BY 1, 2
    """  # noqa: S608 our own column names
    cut = period.cut_hours
    values = {
        "agent": agent,
        "versions": list(versions),
        "boundaries": list(period.boundaries),
        "since": period.since,
        "until": period.until,
        "cut": cut,
    }
    return _read([kept, counted] if cut else [kept], values)


def sums_by_version(rollup: Rollup, agent: int, period: Period, *, by: str = "NULL") -> dict[Key, tuple[int, ...]]:
    """The sums of a rollup by day: (version, column `by`) → the rollup's sums, of exactly the calls in the period.

    Durations are read by month where a month is whole. At most half a day at each end is counted call by call.
    """
    is_monthly = rollup is DURATION
    spans = spans_of(period.since, period.until, now=datetime.now(UTC), months=is_monthly)
    whole = (
        f"(span = '{MONTH}' AND start = ANY(%(months)s::date[]) OR span = '{DAY}' AND start = ANY(%(days)s::date[]))"
        if is_monthly
        else "day >= %(first)s AND day <= %(last)s"
    )
    kept = f"""
        SELECT version, {by}, {_added(rollup)} FROM {rollup.table}
        WHERE agent_id = %(agent)s AND NOT is_test AND {whole} GROUP BY 1, 2
    """  # noqa: S608 our own column names
    counted = f"""
        SELECT {EXPRESSIONS["version"]}, {EXPRESSIONS.get(by, by)}, {_counted(rollup, "sign *")}
        FROM unnest(%(from)s::timestamptz[], %(to)s::timestamptz[], %(signs)s::int[]) AS ranges (since, until, sign),
             LATERAL ({CALLS} AND started_at >= since AND started_at < until OFFSET 0) AS calls
        WHERE {condition_of(rollup)} GROUP BY 1, 2, sign
    """  # noqa: S608 our own column names
    ranges = _ranges(spans)
    values = {
        "agent": agent,
        "months": spans.months,
        "days": spans.days,
        "first": min(spans.days, default=None),
        "last": max(spans.days, default=None),
        "from": [each[0] for each in ranges],
        "to": [each[1] for each in ranges],
        "signs": [each[2] for each in ranges],
    }
    return _read([kept, counted] if ranges else [kept], values)


def _ranges(spans: Spans) -> list[tuple[datetime, datetime, int]]:
    return [(*each, 1) for each in spans.plus] + [(*each, -1) for each in spans.minus]


def _read(statements: list[str], values: dict[str, Any]) -> dict[Key, tuple[int, ...]]:
    found: dict[Key, tuple[int, ...]] = {}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)
            for row in cursor.fetchall():
                key, sums = row[:2], row[2:]
                if key in found:
                    sums = tuple(one + other for one, other in zip(found[key], sums, strict=True))
                found[key] = sums
    return {key: sums for key, sums in found.items() if any(sums)}


def _added(rollup: Rollup) -> str:
    return ", ".join(f"sum({name})::bigint" for name in rollup.sums)


def _counted(rollup: Rollup, sign: str = "") -> str:
    return ", ".join(f"({sign} {EXPRESSIONS[name]})::bigint" for name in rollup.sums)
