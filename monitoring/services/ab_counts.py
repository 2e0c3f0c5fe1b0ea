"""What the calls of an A/B test add up to: one statement over the calls of its number since it began."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.core.sequential import Arm, Sums
from monitoring.core.sequential_ratio import Stratum

from .ab_periods import AbTest
from .counting import AUTOMATED

MOST_CALLS = 100_000
"""The first so many calls of a test are analysed: stopping at a fixed number keeps every interval valid."""
LATE = timedelta(minutes=5)
"""By how much the clocks of the voice platform and ours may differ; a resolution names its route, whatever the time."""

FIGURES = ("automation", "success", "errors", "duration")
"""In the order of the statement. Durations are in milliseconds."""

LEFT_OUT = {
    "test": "test calls",
    "withheld": "callers with a withheld number, who are not sticky",
    "other": "not decided by the split",
    "unknown": "without a resolution that says which variant answered",
}

STATEMENT = f"""
WITH calls AS (
    SELECT started_at, id, variant, version, digest, attribution,
        coalesce(encode(caller_hash, 'hex'), decision->>'b') AS caller,
        CASE WHEN attribution = 'token' THEN decision->>'r' ELSE during END AS route,
        CASE
            WHEN coalesce(during, '') = ''
                AND NOT coalesce(attribution = 'token' AND decision->>'r' = ANY(%(ours)s), false) THEN 'outside'
            WHEN is_test THEN 'test'
            WHEN attribution NOT IN ('token', 'inferred') THEN 'unknown'
            WHEN attribution = 'token' AND decision->>'w' <> 'SPLIT' THEN 'other'
            WHEN attribution = 'token' AND NOT decision->>'r' = ANY(%(ours)s) THEN 'other'
            WHEN NOT variant = ANY(%(names)s) THEN 'other'
            WHEN CASE attribution WHEN 'token' THEN decision->>'u' <> 'caller' ELSE caller_hash IS NULL END
                THEN 'withheld'
            ELSE 'counted'
        END AS standing,
        (is_over AND engaged)::int AS engaged,
        ({AUTOMATED})::int AS automated,
        (evaluation IS NOT NULL)::int AS judged,
        (evaluation = 'success')::int AS succeeded,
        (is_error IS TRUE)::int AS failed,
        duration_ms::float8 AS length
    FROM (
        SELECT *, (%(during)s::text[])[width_bucket(started_at, %(starts)s::timestamptz[])] AS during
        FROM monitoring_call
        WHERE channel = %(channel)s AND started_at >= %(since)s AND started_at < %(until)s
        ORDER BY started_at LIMIT %(most)s
    ) AS found
), counted AS (
    SELECT * FROM calls WHERE standing = 'counted'
), first AS (
    SELECT DISTINCT ON (caller) variant, route FROM counted ORDER BY caller, started_at, id
), callers AS (
    SELECT variant, caller, count(*)::float8 AS calls,
        coalesce(sum(engaged), 0)::float8 AS m0, coalesce(sum(automated), 0)::float8 AS x0,
        sum(judged)::float8 AS m1, coalesce(sum(succeeded), 0)::float8 AS x1,
        sum(failed)::float8 AS x2,
        count(length)::float8 AS m3, coalesce(sum(length), 0) AS x3, coalesce(sum(length * length), 0) AS xx3
    FROM counted GROUP BY variant, caller
)
SELECT 'variant', variant, '', ARRAY[
    sum(m0), sum(x0), sum(x0), sum(x0 * x0), sum(x0 * m0), sum(m0 * m0),
    sum(m1), sum(x1), sum(x1), sum(x1 * x1), sum(x1 * m1), sum(m1 * m1),
    sum(calls), sum(x2), sum(x2), sum(x2 * x2), sum(x2 * calls), sum(calls * calls),
    sum(m3), sum(x3), sum(xx3), sum(x3 * x3), sum(x3 * m3), sum(m3 * m3)]::float8[],
    NULL::text[]
FROM callers GROUP BY variant
UNION ALL
SELECT 'stratum', variant, route, ARRAY[
    coalesce(sum(engaged), 0), coalesce(sum(automated), 0), sum(judged), coalesce(sum(succeeded), 0), count(*),
    sum(failed), count(length), coalesce(sum(length), 0), count(*) FILTER (WHERE attribution = 'inferred')]::float8[],
    array_agg(DISTINCT version || ' ' || digest)
FROM counted GROUP BY variant, route
UNION ALL
SELECT 'first', variant, route, ARRAY[count(*)]::float8[], NULL FROM first GROUP BY variant, route
UNION ALL
SELECT 'left out', standing, '', ARRAY[count(*)]::float8[], NULL
FROM calls WHERE standing <> 'counted' GROUP BY standing
UNION ALL
SELECT 'all', '', '', ARRAY[count(*)]::float8[], NULL FROM calls
"""  # noqa: S608 our own condition


@dataclass
class VariantCounts:
    """What one variant's calls add up to. `configurations` are (version, digest) that answered, 0 for the draft."""

    figures: Mapping[str, Arm] = field(default_factory=dict)
    calls: int = 0
    inferred: int = 0
    callers: int = 0
    configurations: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True)
class AbCounts:
    """All that is counted of a test: by variant, the first calls of callers by route, and what was left out."""

    variants: Mapping[str, VariantCounts]
    strata: list[Stratum]
    left_out: Mapping[str, int]
    is_cut: bool

    @property
    def calls(self) -> int:
        """All calls that count."""
        return sum(each.calls for each in self.variants.values())


def count_test(test: AbTest) -> AbCounts:
    """Count a test's calls.

    Reads one row for each call of the number since the test began, by the index (channel, started_at), at most 100,000:
    about 10 ms for each 1,000 calls, a second at most. A call of the split is one that came back with its resolution,
    or was inferred from the route; its caller is the number's hash, else the bucket that the resolution names.
    """
    last = test.until or datetime.max.replace(tzinfo=test.since.tzinfo) - LATE
    values: dict[str, Any] = {
        "ours": list(test.shares),
        "names": list(test.targets),
        "during": [*(period.route if period.plan else "" for period in test.periods), ""],
        "starts": [*(period.since for period in test.periods), last],
        "channel": test.channel.address,
        "since": test.since - LATE,
        "until": last + LATE,
        "most": MOST_CALLS,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, values)
        rows = cursor.fetchall()
    return _read(test, rows)


def _read(test: AbTest, rows: list[Any]) -> AbCounts:
    variants = {name: VariantCounts() for name in test.targets}
    sums: dict[str, list[float]] = {}
    strata: dict[str, dict[str, list[float]]] = {}
    firsts: dict[str, dict[str, int]] = {}
    left_out: dict[str, int] = {}
    is_cut = False
    for kind, name, route, numbers, configurations in rows:
        if kind == "left out":
            left_out[name] = int(numbers[0])
        elif kind == "all":
            is_cut = numbers[0] >= MOST_CALLS
        elif kind == "variant":
            sums[name] = numbers
        elif kind == "first":
            firsts.setdefault(route, {})[name] = int(numbers[0])
            variants[name].callers += int(numbers[0])
        else:
            strata.setdefault(name, {})[route] = numbers
            variant = variants[name]
            variant.calls, variant.inferred = variant.calls + int(numbers[4]), variant.inferred + int(numbers[8])
            variant.configurations |= {_configuration(text) for text in configurations or () if text}
    for name, variant in variants.items():
        variant.figures = _arms(sums.get(name, [0.0] * 24), strata.get(name, {}))
    checks = [Stratum(counts, test.shares[route]) for route, counts in firsts.items()]
    return AbCounts(variants, checks, left_out, is_cut)


def _arms(sums: list[float], strata: Mapping[str, list[float]]) -> dict[str, Arm]:
    arms = {}
    for at, figure in enumerate(FIGURES):
        parts = {route: (float(row[2 * at]), float(row[2 * at + 1])) for route, row in strata.items()}
        arms[figure] = Arm(Sums(*map(float, sums[6 * at : 6 * at + 6])), parts)
    return arms


def _configuration(text: str) -> tuple[int, str]:
    version, _, digest = text.partition(" ")
    return int(version), digest
