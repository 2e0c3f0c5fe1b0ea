"""Proves the figures: counted anew from the calls by PostgreSQL, and compared row by row."""

from collections.abc import Sequence

from django.db import connection

HOURS = """
    SELECT agent_id, date_trunc('hour', started_at, 'UTC') AS hour, coalesce(version, -1) AS version, variant, is_test,
           count(*) AS calls,
           count(*) FILTER (WHERE is_over) AS over,
           count(*) FILTER (WHERE is_over AND engaged) AS engaged,
           count(*) FILTER (WHERE is_over AND engaged AND NOT coalesce(transferred OR is_error, false)) AS automated,
           count(*) FILTER (WHERE transferred) AS transferred,
           count(*) FILTER (WHERE is_error) AS errors,
           count(*) FILTER (WHERE evaluation = 'success') AS succeeded,
           count(*) FILTER (WHERE evaluation = 'fail') AS failed,
           count(*) FILTER (WHERE sentiment = 1) AS positive,
           count(*) FILTER (WHERE sentiment = 0) AS neutral,
           count(*) FILTER (WHERE sentiment = -1) AS negative,
           count(duration_ms) AS timed,
           coalesce(sum(duration_ms), 0) AS duration_ms,
           count(latency_ms) AS latencies,
           count(sentiment_score) AS scored
    FROM monitoring_call GROUP BY 1, 2, 3, 4, 5
"""
HOUR_NAMES = (
    *("calls", "over", "engaged", "automated", "transferred", "errors", "succeeded", "failed"),
    *("positive", "neutral", "negative", "timed", "duration_ms", "latencies", "scored"),
)
COSTS = """
    SELECT agent_id, date_trunc('hour', started_at, 'UTC') AS hour, coalesce(version, -1) AS version, variant, is_test,
           currency, count(*) AS calls, sum(cost) AS cost
    FROM monitoring_call WHERE cost IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
"""
DURATIONS = """
    SELECT agent_id, (started_at AT TIME ZONE 'UTC')::date AS day, coalesce(version, -1) AS version, is_test,
           count(*) AS calls
    FROM monitoring_call WHERE duration_ms IS NOT NULL GROUP BY 1, 2, 3, 4
"""
DURATION_TOTALS = """
    SELECT agent_id, day, version, is_test, sum(calls) AS calls FROM monitoring_durationfigures GROUP BY 1, 2, 3, 4
"""


def find_differences() -> list[str]:
    """Every row of the figures that does not equal the calls, in words; empty when all are exact."""
    hour_keys, cost_keys = "agent_id hour version variant is_test", "agent_id hour version variant is_test currency"
    return [
        *_compare("hour", "SELECT * FROM monitoring_hourfigures", HOURS, hour_keys.split(), HOUR_NAMES),
        *_compare("cost", "SELECT * FROM monitoring_costfigures", COSTS, cost_keys.split(), ["calls", "cost"]),
        *_compare("duration", DURATION_TOTALS, DURATIONS, ["agent_id", "day", "version", "is_test"], ["calls"]),
    ]


def _compare(what: str, kept: str, counted: str, keys: list[str], names: Sequence[str]) -> list[str]:
    same = " AND ".join(f"kept.{key} = counted.{key}" for key in keys)
    # A row whose sums are all zero (its calls moved elsewhere) equals no row.
    differ = " OR ".join(f"coalesce(kept.{name}, 0) <> coalesce(counted.{name}, 0)" for name in names)
    shown = ", ".join(f"coalesce(kept.{key}, counted.{key})" for key in keys)
    pairs = ", ".join(f"kept.{name}, counted.{name}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {shown}, {pairs} FROM ({kept}) kept FULL JOIN ({counted}) counted ON {same} "  # noqa: S608
            f"WHERE {differ} LIMIT 100"
        )
        rows = cursor.fetchall()
    said = []
    for row in rows:
        place = ", ".join(f"{key} {value}" for key, value in zip(keys, row, strict=False))
        values = row[len(keys) :]
        wrong = [
            f"{name}: {values[2 * at]} kept, {values[2 * at + 1]} counted"
            for at, name in enumerate(names)
            if (values[2 * at] or 0) != (values[2 * at + 1] or 0)
        ]
        said.append(f"{what} figures of {place}: {'; '.join(wrong)}")
    return said
