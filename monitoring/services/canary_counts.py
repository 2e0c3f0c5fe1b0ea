"""What a rollout's calls add up to for its judge: one statement over the calls that its split routed.

A call counts when its routing was recorded, or when its record came back with a resolution that names the rollout. A
record belongs to the call that its resolution names, else to the one with its own id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from channels.core.rollout_clock import Standing
from channels.core.rollout_judging import Counts, Guardrail, Judging
from channels.core.rollout_steps import Arm as ArmName
from channels.models import Rollout
from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.canary_plan import MEANS, RATES
from monitoring.core.sequential import Arm, Sums

MEMORY = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL enable_mergejoin = off"
"""For one statement over 100,000 calls: in the usual 4 MB it would write them to disk, and sort their ids to join."""
SLACK = timedelta(hours=1)
"""By how much a call may have begun before it was routed: clocks differ, and a phone rings before it asks."""
BAD = {Guardrail.AUTOMATION: "is_handed_over", Guardrail.SENTIMENT: "is_over AND sentiment < 0"}
"""Of a rate guardrail, the calls that it counts."""
VALUE = {
    Guardrail.DURATION: "duration_ms / 1000::float8",
    Guardrail.LATENCY: "latency_ms",
    Guardrail.JUDGE_SCORE: "CASE evaluation WHEN 'success' THEN 1::float8 WHEN 'fail' THEN 0::float8 END",
}
"""Of a guardrail of an average, the value of a call that is over; NULL where it has none."""

FACTS = {
    "is_error": "coalesce(is_error, false)",
    "is_over": "is_over",
    "is_test": "is_test",
    "is_handed_over": "is_over AND engaged AND (coalesce(transferred, false) OR coalesce(is_error, false))",
    "sentiment": "sentiment",
    "duration_ms": "duration_ms",
    "latency_ms": "latency_ms",
    "evaluation": "evaluation",
}
"""What is read of each call; after the first three only what a guardrail needs."""
NEEDED = {
    Guardrail.AUTOMATION: "is_handed_over",
    Guardrail.SENTIMENT: "sentiment",
    Guardrail.DURATION: "duration_ms",
    Guardrail.LATENCY: "latency_ms",
    Guardrail.JUDGE_SCORE: "evaluation",
}

# `pairs`: nearly every record has the id of its call, so that a resolution is read of the other ones alone (strays).
# `place` packs into 64 bits when a call was routed (ms), its share (17 bits) and its arm: the least is the first of a
# caller and says both. Sorting all calls for each kind of label would take most of the time.
_JUDGED = """
WITH pairs AS MATERIALIZED (
    SELECT r.id AS routed_id, r.call_id, r.at, r.arm, r.share, r.caller_hash AS caller, c.id, {of_c},
        CASE WHEN r.id IS NULL THEN c.decision END AS decision, CASE WHEN r.id IS NULL THEN c.caller_hash END AS who
    FROM (SELECT * FROM channels_routedcall WHERE rollout_id = %(rollout)s AND at >= %(from)s) AS r
    FULL JOIN (
        SELECT id, sender_id, decision, caller_hash, {facts}
        FROM monitoring_call WHERE agent_id = %(agent)s AND started_at >= %(began)s
    ) AS c ON c.sender_id = r.call_id
    WHERE r.id IS NOT NULL OR c.decision->'o'->>'i' = %(rollout)s::text
), strays AS MATERIALIZED (
    SELECT DISTINCT ON (decision->>'c') decision->>'c' AS call_id, to_timestamp((decision->>'iat')::float8) AS at,
        decision->'o'->>'m' AS arm, (decision->'o'->>'s')::int AS share,
        CASE WHEN (decision->'o'->>'y')::boolean THEN coalesce(who, int4send((decision->'o'->>'b')::int)) END AS caller,
        id, {names}
    FROM pairs WHERE routed_id IS NULL ORDER BY decision->>'c', id
), lonely AS MATERIALIZED (
    SELECT routed_id, call_id, at, arm, share, caller FROM pairs WHERE id IS NULL
), found AS (
    SELECT routed_id, at, arm, share, caller, id, {names} FROM pairs WHERE routed_id IS NOT NULL AND id IS NOT NULL
    UNION ALL
    SELECT NULL, at, arm, share, caller, id, {names} FROM strays WHERE NOT EXISTS (
        SELECT FROM channels_routedcall AS r WHERE r.rollout_id = %(rollout)s AND r.call_id = strays.call_id)
    UNION ALL
    -- No record with its id among the agent's: one may have another id, be attributed elsewhere, its clock be far off.
    SELECT r.routed_id, r.at, r.arm, r.share, r.caller, coalesce(s.id, c.id), {either}
    FROM lonely AS r LEFT JOIN strays AS s USING (call_id)
    LEFT JOIN LATERAL (
        SELECT * FROM monitoring_callledger WHERE sender_id = r.call_id AND s.id IS NULL OFFSET 0
    ) AS l ON true
    LEFT JOIN LATERAL (
        SELECT id, {facts} FROM monitoring_call
        WHERE agent_id = l.agent_id AND started_at = l.started_at AND id = l.call_id OFFSET 0
    ) AS c ON true
), judged AS MATERIALIZED (
    SELECT routed_id, id, arm, share, caller, {names},
        NOT coalesce(is_over, false) AND at < %(missing_before)s AS is_missing,
        ((date_part('epoch', at - %(since)s) * 1000)::bigint << 18) | (share << 1) | (arm = 'canary')::int AS place
    FROM found WHERE caller IS NOT NULL AND NOT coalesce(is_test, false) AND at >= %(from)s
)
"""
_ARMS = """
SELECT 'arm', arm, 0, ARRAY[count(*) FILTER (WHERE is_over OR is_missing), count(*) FILTER (WHERE is_over),
    count(*) FILTER (WHERE is_over AND is_error), coalesce(max(routed_id), 0), coalesce(max(id), 0)]::float8[]
FROM judged GROUP BY arm
"""
_OF_CALLER = "count({v})::float8 AS {n}m, coalesce(sum({v}), 0)::float8 AS {n}x, coalesce(sum({v} * {v}), 0) AS {n}xx"
_OF_ARM = "sum({n}m), sum({n}x), sum({n}xx), sum({n}x * {n}x), sum({n}x * {n}m), sum({n}m * {n}m)"


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
    values: dict[str, Any] = {
        "rollout": rollout.pk,
        "agent": rollout.agent_id,
        "since": at.since,
        "began": at.since - SLACK,
        "from": at.since if at.is_anew else at.since - SLACK,
        "missing_before": missing_before,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MEMORY)
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
    means = [each for each in judging.guardrails if each in VALUE]
    if means:
        parts += _means(means)
    callers = f", callers AS MATERIALIZED (SELECT {firsts} FROM judged GROUP BY caller)"  # noqa: S608
    names = [*list(FACTS)[:3], *(NEEDED[each] for each in judging.guardrails)]
    judged = _JUDGED.format(
        names=", ".join(names),
        facts=", ".join(f"{FACTS[name]} AS {name}" for name in names),
        of_c=", ".join(f"c.{name}" for name in names),
        either=", ".join(f"coalesce(s.{name}, c.{name})" for name in names),
    )
    return f"{judged}{callers}{' UNION ALL '.join(parts)}"


def _means(guardrails: Sequence[Guardrail]) -> list[str]:
    """All averages in two passes: sums over callers for how much calls tell, and by share."""
    values = {each.value: f"CASE WHEN is_over THEN {VALUE[each]} END" for each in guardrails}
    of_caller = ", ".join(_OF_CALLER.format(n=name, v=value) for name, value in values.items())
    of_arm = ", ".join(_OF_ARM.format(n=name) for name in values)
    of_share = ", ".join(f"count({value}), coalesce(sum({value}), 0)" for value in values.values())
    return [
        f"SELECT 'means', arm, 0, ARRAY[{of_arm}]::float8[]"  # noqa: S608 our own names
        f" FROM (SELECT arm, {of_caller} FROM judged GROUP BY arm, caller) AS callers_of_arm GROUP BY arm",
        f"SELECT 'strata', arm, share, ARRAY[{of_share}]::float8[] FROM judged GROUP BY arm, share",  # noqa: S608
    ]


def _read(rows: Iterable[Sequence[Any]], judging: Judging, standing: Standing) -> CanaryCounts:
    labels: dict[str, dict[int, list[int]]] = {}
    sums: dict[tuple[Guardrail, str], Sequence[float]] = {}
    arms: dict[str, list[int]] = {}
    strata: dict[tuple[Guardrail, str], dict[str, tuple[float, float]]] = {}
    means = [each for each in judging.guardrails if each in VALUE]
    for kind, arm, share, numbers in rows:
        if kind == "arm":
            arms[arm] = [int(number) for number in numbers]
        elif kind == "means":
            sums |= {(each, arm): numbers[6 * at : 6 * at + 6] for at, each in enumerate(means)}
        elif kind == "strata":
            for at, each in enumerate(means):
                if numbers[2 * at]:
                    strata.setdefault((each, arm), {})[str(share)] = (numbers[2 * at], numbers[2 * at + 1])
        else:
            labels.setdefault(kind, {}).setdefault(share, [0, 0])[arm != ArmName.CANARY] = int(numbers[0])

    def mean(guardrail: Guardrail, arm: ArmName) -> Arm:
        key = (guardrail, arm.value)
        return Arm(Sums(*sums.get(key, ())), strata.get(key, {}))

    seen = Observations(
        step=standing.step,
        seconds_in_step=standing.seconds_in_step,
        seconds=standing.seconds,
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
