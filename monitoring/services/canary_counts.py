"""What a rollout's calls add up to for its judge: one statement over the calls that its split routed.

A call counts when its routing was recorded, or when its record came back with a resolution that names the rollout. A
record belongs to the call that its resolution names, else to the one with its own id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from channels.core.rollout_judging import Counts, Guardrail, Judging
from channels.core.rollout_steps import Arm as ArmName
from channels.models import Rollout
from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.canary_plan import MEANS, RATES, Standing
from monitoring.core.sequential import Arm, Sums

SLACK = timedelta(hours=1)
"""By how much a call may have begun before it was routed: clocks differ, and a phone rings before it asks."""
BAD = {Guardrail.AUTOMATION: "is_over AND engaged AND NOT is_automated", Guardrail.SENTIMENT: "is_over AND sentiment < 0"}
"""Of a rate guardrail, the calls that it counts."""
VALUE = {
    Guardrail.DURATION: "duration_ms / 1000::float8",
    Guardrail.LATENCY: "latency_ms",
    Guardrail.JUDGE_SCORE: "CASE evaluation WHEN 'success' THEN 1::float8 WHEN 'fail' THEN 0::float8 END",
}
"""Of a guardrail of an average, the value of a call that is over; NULL where it has none."""

_FACTS = (
    *("id", "is_test", "is_over", "is_error", "engaged", "is_automated", "sentiment", "duration_ms", "latency_ms"),
    "evaluation",
)
_READ = """
    id, is_test, is_over, coalesce(is_error, false) AS is_error, engaged,
    is_over AND engaged AND NOT coalesce(transferred, false) AND NOT coalesce(is_error, false) AS is_automated,
    sentiment, duration_ms, latency_ms, evaluation
"""
# Numbers of 64 bits pack when a caller's call was routed (ms), its share (17 bits) and its arm, so that the least is the
# first and says both: a sort of all calls for each kind of label would take most of the time.
_JUDGED = f"""
WITH of_agent AS MATERIALIZED (
    SELECT CASE WHEN is_named THEN decision->>'c' ELSE sender_id END AS call_id, is_named, caller_hash,
        is_named AND decision->>'c' <> sender_id AS is_renamed, decision->'o' AS said, decision->>'iat' AS iat, {_READ}
    FROM (
        SELECT *, coalesce(decision->'o'->>'i' = %(rollout)s::text, false) AS is_named
        FROM monitoring_call WHERE agent_id = %(agent)s AND started_at >= %(began)s
    ) AS recent
), calls AS (
    SELECT * FROM of_agent WHERE NOT is_renamed
    UNION ALL
    SELECT * FROM (
        SELECT DISTINCT ON (call_id) * FROM of_agent AS renamed
        WHERE is_renamed AND NOT EXISTS (
            SELECT FROM of_agent AS own WHERE NOT own.is_renamed AND own.call_id = renamed.call_id)
        ORDER BY call_id, id
    ) AS first_of_each
), routed AS MATERIALIZED (
    SELECT id AS routed_id, call_id, at, arm, share, caller_hash AS hash
    FROM channels_routedcall WHERE rollout_id = %(rollout)s AND at >= %(from)s
), matched AS MATERIALIZED (
    SELECT r.routed_id, r.call_id AS routed_as, coalesce(r.at, to_timestamp(c.iat::float8)) AS at,
        coalesce(r.arm, c.said->>'m') AS arm, coalesce(r.share, (c.said->>'s')::int) AS share,
        coalesce(r.hash, c.caller_hash, int4send((c.said->>'b')::int)) AS caller,
        CASE WHEN r.call_id IS NULL THEN (c.said->>'y')::boolean ELSE r.hash IS NOT NULL END AS is_analysed,
        {", ".join(f"c.{name}" for name in _FACTS)}
    FROM routed AS r FULL JOIN calls AS c ON c.call_id = r.call_id
    WHERE r.call_id IS NOT NULL OR c.is_named
), found AS (
    SELECT * FROM matched WHERE id IS NOT NULL
    UNION ALL
    -- No record among the agent's: one may be attributed elsewhere, or its clock be far off.
    SELECT m.routed_id, m.routed_as, m.at, m.arm, m.share, m.caller, m.is_analysed,
        {", ".join(f"c.{name}" for name in _FACTS)}
    FROM matched AS m LEFT JOIN LATERAL (
        SELECT {_READ} FROM monitoring_call WHERE (agent_id, started_at, id) = (
            SELECT agent_id, started_at, call_id FROM monitoring_callledger WHERE sender_id = m.routed_as)
    ) AS c ON true
    WHERE m.id IS NULL
), judged AS MATERIALIZED (
    SELECT *, NOT coalesce(is_over, false) AND at < %(missing_before)s AS is_missing,
        ((extract(epoch FROM at - %(since)s) * 1000)::bigint << 18) | (share << 1) | (arm = 'canary')::int AS place
    FROM found WHERE is_analysed AND NOT coalesce(is_test, false) AND at >= %(from)s
)
"""
_ARMS = """
SELECT 'arm', arm, 0, ARRAY[count(*) FILTER (WHERE is_over OR is_missing), count(*) FILTER (WHERE is_over),
    count(*) FILTER (WHERE is_over AND is_error), coalesce(max(routed_id), 0), coalesce(max(id), 0)]::float8[]
FROM judged GROUP BY arm
"""
_MEAN = """
SELECT 'mean {name}', arm, 0, ARRAY[sum(m), sum(x), sum(xx), sum(x * x), sum(x * m), sum(m * m)]
FROM (
    SELECT arm, caller, count(value)::float8 AS m, sum(value) AS x, sum(value * value) AS xx
    FROM (SELECT arm, caller, {value} AS value FROM judged WHERE is_over) AS valued
    WHERE value IS NOT NULL GROUP BY arm, caller
) AS callers GROUP BY arm
UNION ALL
SELECT 'stratum {name}', arm, share, ARRAY[count(value)::float8, sum(value)]
FROM (SELECT arm, share, {value} AS value FROM judged WHERE is_over) AS valued
WHERE value IS NOT NULL GROUP BY arm, share
"""


@dataclass(frozen=True)
class CanaryCounts:
    """What was observed, and the keys of the newest routed call and the newest call that it holds (0: none)."""

    seen: Observations
    routed_to: int
    calls_to: int


def count_rollout(rollout: Rollout, judging: Judging, at: Standing, *, missing_before: datetime) -> CanaryCounts:
    """Count the analysed calls of a rollout; a call routed before `missing_before` without an end is missing.

    Reads one row for each call that was routed and each of the agent's since then: 100,000 in about a quarter of a
    second. Failed are calls with an error, as in the error rate of `monitoring.core.measures`.
    """
    values = {
        "rollout": rollout.pk,
        "agent": rollout.agent_id,
        "since": at.since,
        "began": at.since - SLACK,
        "from": at.since if at.is_anew else at.since - SLACK,
        "missing_before": missing_before,
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(judging), values)
        return _read(cursor.fetchall(), judging, at)


def _statement(judging: Judging) -> str:
    is_labelled = "is_over AND NOT is_error" if judging.counts == Counts.SUCCESSES else "is_over AND is_error"
    labels = {
        "callers": "true",
        "labels": is_labelled,
        "labels_or_missing": f"is_missing OR ({is_labelled})",
        "missing": "is_missing",
        **{each.value: BAD[each] for each in judging.guardrails if each in BAD},
    }
    firsts = ", ".join(f"min(place) FILTER (WHERE {condition}) AS {name}" for name, condition in labels.items())
    parts = [_ARMS]
    parts += [
        f"SELECT '{name}', CASE {name} & 1 WHEN 1 THEN 'canary' ELSE 'stable' END, ({name} >> 1 & 131071)::int,"  # noqa: S608 our own names
        f" ARRAY[count(*)]::float8[] FROM callers WHERE {name} IS NOT NULL GROUP BY 2, 3"
        for name in labels
    ]
    parts += [_MEAN.format(name=each.value, value=VALUE[each]) for each in judging.guardrails if each in VALUE]
    callers = f", callers AS MATERIALIZED (SELECT {firsts} FROM judged GROUP BY caller)"  # noqa: S608
    return f"{_JUDGED}{callers}{' UNION ALL '.join(parts)}"


def _read(rows: Iterable[Sequence[Any]], judging: Judging, at: Standing) -> CanaryCounts:
    labels: dict[str, dict[int, list[int]]] = {}
    sums: dict[tuple[str, str], list[float]] = {}
    arms: dict[str, list[int]] = {}
    strata: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for kind, arm, share, numbers in rows:
        kind, _, name = kind.partition(" ")
        if kind == "arm":
            arms[arm] = [int(number) for number in numbers]
        elif kind == "mean":
            sums[name, arm] = numbers
        elif kind == "stratum":
            strata.setdefault((name, arm), {})[str(share)] = (numbers[0], numbers[1])
        else:
            labels.setdefault(kind, {}).setdefault(share, [0, 0])[arm != ArmName.CANARY] = int(numbers[0])

    def mean(guardrail: Guardrail, arm: ArmName) -> Arm:
        key = (guardrail.value, arm.value)
        return Arm(Sums(*sums.get(key, ())), strata.get(key, {}))

    seen = Observations(
        step=at.step,
        seconds_in_step=at.seconds_in_step,
        seconds=at.seconds,
        canary=ArmCalls(*arms.get(ArmName.CANARY, ())[:3]),
        stable=ArmCalls(*arms.get(ArmName.STABLE, ())[:3]),
        callers=_labels(labels, "callers"),
        labels=_labels(labels, "labels"),
        labels_or_missing=_labels(labels, "labels_or_missing"),
        missing=_labels(labels, "missing"),
        rates={RATES[each]: _labels(labels, each.value) for each in judging.guardrails if each in RATES},
        means={
            MEANS[each].name: (mean(each, ArmName.CANARY), mean(each, ArmName.STABLE))
            for each in judging.guardrails
            if each in MEANS
        },
    )
    ends = [numbers[3:] for numbers in arms.values()]
    return CanaryCounts(seen, max((end[0] for end in ends), default=0), max((end[1] for end in ends), default=0))


def _labels(found: Mapping[str, Mapping[int, Sequence[int]]], name: str) -> Labels:
    return Labels.of({share: (canary, stable) for share, (canary, stable) in found.get(name, {}).items()})
