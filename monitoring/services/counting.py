"""The figures counted from the calls themselves, by PostgreSQL: for proofs, for benches, for hours that a zone cuts."""

from monitoring.core.histogram import GROWTH
from monitoring.core.rollups import CHANNEL, COST, DURATION, PART, REASON, Rollup

AUTOMATED = "is_over AND engaged AND NOT coalesce(transferred, false) AND NOT coalesce(is_error, false)"
"""As `monitoring.core.figures.is_automated`."""
BUCKET = (
    f"(CASE WHEN duration_ms < 10 THEN 0 ELSE 1 + floor(ln(duration_ms / 10::float8) / ln({GROWTH}::float8)) END)::int"
)
"""As `monitoring.core.histogram.bucket_of`."""
EXPRESSIONS = {
    "hour": "date_trunc('hour', started_at, 'UTC')",
    "day": "(started_at AT TIME ZONE 'UTC')::date",
    "version": "coalesce(version, -1)",
    "reason": "ended_reason",
    "part": f"({BUCKET} / {PART})::smallint",
    "calls": "count(*)",
    "over": "count(*) FILTER (WHERE is_over)",
    "engaged": "count(*) FILTER (WHERE is_over AND engaged)",
    "automated": f"count(*) FILTER (WHERE {AUTOMATED})",
    "transferred": "count(*) FILTER (WHERE transferred)",
    "errors": "count(*) FILTER (WHERE is_error)",
    "succeeded": "count(*) FILTER (WHERE evaluation = 'success')",
    "failed": "count(*) FILTER (WHERE evaluation = 'fail')",
    "positive": "count(*) FILTER (WHERE sentiment = 1)",
    "neutral": "count(*) FILTER (WHERE sentiment = 0)",
    "negative": "count(*) FILTER (WHERE sentiment = -1)",
    "timed": "count(duration_ms)",
    "duration_ms": "coalesce(sum(duration_ms), 0)::bigint",
    # float8 rounds halves to even, as Python does.
    "duration_ds_squared": "coalesce(sum((round(duration_ms / 100::float8) ^ 2)::bigint), 0)::bigint",
    "latencies": "count(latency_ms)",
    "latency_ms": "coalesce(sum(round(latency_ms)::bigint), 0)::bigint",
    "scored": "count(sentiment_score)",
    "score_milli": "coalesce(sum(round(sentiment_score * 1000)::bigint), 0)::bigint",
    "cost_micro": "sum((cost * 1000000)::bigint)::bigint",
    **{f"b{place}": f"count(*) FILTER (WHERE mod({BUCKET}, {PART}) = {place})" for place in range(PART)},
}
"""Columns of the figures that are no columns of the calls."""
_SPANS = (
    "monitoring_call, LATERAL (VALUES ('d', (started_at AT TIME ZONE 'UTC')::date),"
    " ('m', date_trunc('month', started_at AT TIME ZONE 'UTC')::date)) AS spans (span, start)"
)
_CONDITIONS = {
    COST.name: "cost IS NOT NULL",
    DURATION.name: "duration_ms IS NOT NULL",
    CHANNEL.name: "channel <> ''",
    REASON.name: "ended_reason <> ''",
}


def condition_of(rollup: Rollup) -> str:
    """Which calls count in a rollup."""
    return _CONDITIONS.get(rollup.name, "true")


def count_statement(rollup: Rollup, *, among: str = "true") -> str:
    """A query for every row of a rollup, from all calls or those of a condition."""
    source = _SPANS if rollup is DURATION else "monitoring_call"
    columns = ", ".join(f"{EXPRESSIONS.get(name, name)} AS {name}" for name in [*rollup.keys, *rollup.sums])
    places = ", ".join(str(at) for at in range(1, len(rollup.keys) + 1))
    return f"SELECT {columns} FROM {source} WHERE {condition_of(rollup)} AND {among} GROUP BY {places}"  # noqa: S608 our own names
