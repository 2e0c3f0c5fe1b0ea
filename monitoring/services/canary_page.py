"""What the page of a rollout shows of its judging: the last evaluation, how r and its evidence went, failed calls."""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from channels.core.rollout_judging import Counts, Rule
from channels.core.rollout_steps import Arm
from channels.core.shares import percent
from channels.models import Rollout
from monitoring.models import CanaryEvaluation
from monitoring.models.evaluations import UNDECIDED

from .exporting import Line, safe

MOST_POINTS = 150
MOST_SHOWN = 12
MOST_SAMPLES = 3
# Every so many evaluations, and always the last: a rollout of weeks has tens of thousands.
POINTS = """
SELECT at, step, action, body FROM (
    SELECT at, step, action, body, row_number() OVER (ORDER BY id DESC) - 1 AS place, count(*) OVER () AS many
    FROM monitoring_canaryevaluation WHERE rollout_id = %(rollout)s AND body <> ''
) AS evaluations WHERE place %% greatest(ceil(many / %(most)s::float8)::int, 1) = 0 ORDER BY at
"""
SAMPLES = """
SELECT sender_id, started_at, error, ended_reason FROM monitoring_call AS c
WHERE agent_id = %(agent)s AND version = %(version)s AND started_at >= %(since)s AND is_error AND NOT is_test
    AND (decision->'o'->>'i' = %(rollout)s::text OR EXISTS (
        SELECT FROM channels_routedcall WHERE rollout_id = %(rollout)s AND call_id = c.sender_id))
ORDER BY started_at DESC, id DESC LIMIT %(most)s
"""


@dataclass(frozen=True)
class Point:
    """One evaluation in the chart: r with its interval (None: open, or no failure yet), the margin of its step (None
    for the simple rule), evidence of harm."""

    at: datetime
    action: str
    share: str
    value: float | None
    low: float | None
    high: float | None
    margin: float
    harm: float


@dataclass(frozen=True)
class FailedCall:
    """A call with an error; `sender_id` leads to its page."""

    sender_id: str
    started_at: datetime
    error: str
    ended_reason: str


@dataclass(frozen=True)
class ArmFigures:
    """Calls of one arm as the last evaluation saw them; `samples` are calls that failed, the newest first."""

    name: str
    version: Any
    due: int
    recorded: int
    failed: int
    callers: int
    samples: list[FailedCall]

    @property
    def missing(self) -> int:
        """Calls whose end never came."""
        return self.due - self.recorded

    @property
    def rate(self) -> float | None:
        """Failed of recorded."""
        return self.failed / self.recorded if self.recorded else None


@dataclass(frozen=True)
class Shown:
    """The judging of a rollout: the newest evaluations, and of the last that judged anything its statistics."""

    rollout: Rollout
    evaluations: list[CanaryEvaluation]
    count: int
    last: CanaryEvaluation | None
    statistics: dict[str, Any]
    arms: list[ArmFigures]
    points: list[Point]

    @property
    def newest(self) -> int:
        """The key of the newest evaluation; 0 without one."""
        return self.evaluations[0].pk if self.evaluations else 0

    @property
    def is_simple(self) -> bool:
        """Whether the simple rule decides."""
        return self.rollout.judging.rule == Rule.THRESHOLD

    @property
    def counts_successes(self) -> bool:
        """Whether successful calls are counted, because most fail."""
        return self.rollout.judging.counts == Counts.SUCCESSES

    @property
    def problem(self) -> str:
        """Why nothing could be judged at the last look; empty where it could."""
        newest = self.evaluations[0] if self.evaluations else None
        return newest.words if newest is not None and newest.action == UNDECIDED else ""


def show_judging(rollout: Rollout) -> Shown:
    """Everything that the page shows of a rollout's judging."""
    rows = CanaryEvaluation.objects.filter(rollout=rollout).select_related("move").order_by("-id")
    newest = list(rows[:MOST_SHOWN])
    last = next((row for row in newest if row.body), None) or rows.exclude(body="").first()
    body = json.loads(last.body) if last is not None else {}
    arms = [_arm(rollout, arm, body["seen"]) for arm in Arm] if body else []
    return Shown(
        rollout,
        newest,
        rows.count(),
        last,
        body.get("statistics", {}),
        arms,
        list(_points(rollout)),
    )


def _arm(rollout: Rollout, arm: Arm, seen: dict[str, Any]) -> ArmFigures:
    version = rollout.version if arm == Arm.CANARY else rollout.baseline
    counts = seen[arm.value]
    place = 1 if arm == Arm.CANARY else 2
    return ArmFigures(
        arm.value,
        version,
        counts["due"],
        counts["recorded"],
        counts["failed"],
        sum(row[place] for row in seen["callers"]["counts"]),
        _samples(rollout, version.number),
    )


def _samples(rollout: Rollout, version: int) -> list[FailedCall]:
    values: dict[str, Any] = {
        "agent": rollout.agent_id,
        "version": version,
        "since": rollout.created_at - timedelta(hours=1),
        "rollout": rollout.pk,
        "most": MOST_SAMPLES,
    }
    with connection.cursor() as cursor:
        cursor.execute(SAMPLES, values)
        return [FailedCall(*row) for row in cursor.fetchall()]


def _points(rollout: Rollout) -> Iterator[Point]:
    with connection.cursor() as cursor:
        cursor.execute(POINTS, {"rollout": rollout.pk, "most": MOST_POINTS})
        for at, step, action, body in cursor.fetchall():
            yield _point(at, step, action, json.loads(body))


def _point(at: datetime, step: int, action: str, body: dict[str, Any]) -> Point:
    said = body["statistics"]
    ratio = said["ratio"] or {}
    return Point(
        at,
        action,
        percent(body["policy"]["steps"][step]["share"]),
        ratio.get("value"),
        ratio.get("low") or None,
        ratio.get("high"),
        float(said["margin"]),
        said["harm"],
    )


NAMES = (
    *("at", "step", "share", "action", "words", "not_done", "ratio", "ratio_low", "ratio_high", "margin"),
    *("evidence_of_harm", "harm_bar", "evidence_of_ok", "ok_bar", "calls_needed", "simple_rule"),
    *(f"{arm}_{name}" for arm in ("canary", "stable") for name in ("due", "recorded", "failed")),
)


def export_judging(rollout: Rollout) -> Iterator[str]:
    """The lines of a CSV file: every evaluation, the oldest first. An open end of an interval is empty."""
    writer: Any = csv.writer(Line())
    yield "\ufeff" + writer.writerow([f"Evaluations of rollout {rollout.pk}: {safe(str(rollout))}"])
    yield writer.writerow(NAMES)
    for each in CanaryEvaluation.objects.filter(rollout=rollout).order_by("id").iterator(chunk_size=500):
        share = percent(rollout.plan.steps[each.step].share)
        begin = [each.at.isoformat(), each.step + 1, share, each.action, safe(each.words), safe(each.refusal)]
        if not each.body:
            yield writer.writerow(begin)
            continue
        body = json.loads(each.body)
        said, seen = body["statistics"], body["seen"]
        ratio = said["ratio"] or {}
        figures = [ratio.get(name) for name in ("value", "low", "high")]
        figures += [said[name] for name in ("margin", "harm", "harm_bar", "ok", "ok_bar", "needed", "simple_rule")]
        counts = [seen[arm][name] for arm in ("canary", "stable") for name in ("due", "recorded", "failed")]
        yield writer.writerow([*begin, *figures, *counts])


def filled(evidence: float, bar: float) -> int:
    """How far an evidence has come towards its bar, in per cent; one below 1 speaks against it."""
    return min(max(math.floor(100 * evidence / bar), 0), 100)
