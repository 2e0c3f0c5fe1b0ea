"""Keeps the figures equal to the calls: what a call added is taken back before its correction is added."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from monitoring.core.figures import NAMES, Outcome, add_up, hour_of
from monitoring.core.histogram import bucket_of

from .rows import Row

Change = tuple[Row | None, Row | None]
"""A call before (None: new) and after."""
_NAMES = ", ".join(NAMES)
_ARRAYS = ", ".join("%s::bigint[]" for _ in NAMES)
_SUMS = ", ".join(f"{name} = monitoring_hourfigures.{name} + excluded.{name}" for name in NAMES)
HOURS = f"""
    INSERT INTO monitoring_hourfigures (agent_id, hour, version, variant, is_test, {_NAMES})
    SELECT * FROM unnest(%s::int[], %s::timestamptz[], %s::int[], %s::varchar[], %s::bool[], {_ARRAYS})
    ON CONFLICT (agent_id, hour, version, variant, is_test) DO UPDATE SET {_SUMS}
"""  # noqa: S608 our own column names
COSTS = """
    INSERT INTO monitoring_costfigures (agent_id, hour, version, variant, is_test, currency, calls, cost)
    SELECT * FROM unnest(%s::int[], %s::timestamptz[], %s::int[], %s::varchar[], %s::bool[], %s::varchar[],
                         %s::bigint[], %s::numeric[])
    ON CONFLICT (agent_id, hour, version, variant, is_test, currency) DO UPDATE SET
        calls = monitoring_costfigures.calls + excluded.calls, cost = monitoring_costfigures.cost + excluded.cost
"""
DURATIONS = """
    INSERT INTO monitoring_durationfigures (agent_id, day, version, is_test, bucket, calls)
    SELECT * FROM unnest(%s::int[], %s::date[], %s::int[], %s::bool[], %s::smallint[], %s::bigint[])
    ON CONFLICT (agent_id, day, version, is_test, bucket) DO UPDATE SET
        calls = monitoring_durationfigures.calls + excluded.calls
"""


def keep_figures(changes: Sequence[Change]) -> None:
    """Add the differences of these calls to every figure, in the caller's transaction."""
    outcomes = [
        (before.outcome if before is not None else None, after.outcome if after is not None else None)
        for before, after in changes
    ]
    hours = add_up(outcomes)
    # In order of the keys: two writers that touch the same rows wait for one another and never in a ring.
    _write(HOURS, [(*key, *(sums.get(name, 0) for name in NAMES)) for key, sums in sorted(hours.items())])
    _write(COSTS, _costs(changes))
    _write(DURATIONS, _durations(outcomes))


def _costs(changes: Sequence[Change]) -> list[tuple[Any, ...]]:
    totals: dict[tuple[Any, ...], tuple[int, Decimal]] = {}
    for pair in changes:
        for row, sign in zip(pair, (-1, 1), strict=True):
            if row is None or row.values["cost"] is None:
                continue
            key = (*hour_of(row.outcome), row.values["currency"])
            calls, cost = totals.get(key, (0, Decimal()))
            totals[key] = (calls + sign, cost + sign * row.values["cost"])
    return [(*key, calls, cost) for key, (calls, cost) in sorted(totals.items()) if calls or cost]


def _durations(outcomes: Sequence[tuple[Outcome | None, Outcome | None]]) -> list[tuple[Any, ...]]:
    totals: Counter[tuple[int, date, int, bool, int]] = Counter()
    for pair in outcomes:
        for outcome, sign in zip(pair, (-1, 1), strict=True):
            if outcome is not None and outcome.duration_ms is not None:
                day = _day(outcome.started_at)
                bucket = bucket_of(outcome.duration_ms)
                totals[outcome.agent, day, outcome.version, outcome.is_test, bucket] += sign
    return [(*key, count) for key, count in sorted(totals.items()) if count]


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _write(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
