"""The judge of rollouts at work: it counts what is known, writes down what it says of it, and does it."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from agentversions.models.database import database_now
from agentversions.services.errors import Refused
from channels.core.rollout_clock import Moved, standing
from channels.core.rollout_judging import Figures
from channels.core.rollout_states import By, Move, State
from channels.models import Rollout, RolloutMove
from channels.services.errors import RolloutMoved
from channels.services.rollouts import move_rollout
from monitoring.core.canary_decision import Action
from monitoring.core.canary_plan import policy_of
from monitoring.core.canary_verdict import Verdict, judge
from monitoring.models import CanaryEvaluation
from monitoring.models.evaluations import UNDECIDED

from .canary_counts import CanaryCounts, count_rollout
from .canary_prometheus import count_from_prometheus
from .prometheus import NoFigures

MOVES = {
    Action.UNHEALTHY: Move.FIND_UNHEALTHY,
    Action.ROLL_BACK: Move.ROLL_BACK,
    Action.ADVANCE: Move.ADVANCE,
    Action.PROMOTE: Move.PROMOTE,
    Action.HOLD: Move.HOLD,
}
JUDGED = (State.RUNNING, State.HELD)
"""A held rollout goes on to be watched, because callers still get the version; only harm moves it."""
LOCK = "SELECT pg_advisory_xact_lock(hashtext('monitoring canary judge'), %s)"
NEXT_KEY = "SELECT nextval(pg_get_serial_sequence('monitoring_canaryevaluation', 'id'))"


@dataclass(frozen=True)
class Judged:
    """What was said of a rollout. `move` is what was done; `evaluation` is None where nothing new was to be said."""

    rollout: Rollout
    words: str
    move: RolloutMove | None = None
    refusal: str = ""
    evaluation: CanaryEvaluation | None = None


def judge_all() -> list[Judged]:
    """Judge every rollout that is running or held, each by itself."""
    waiting = Rollout.objects.filter(state__in=JUDGED).order_by("id").values_list("pk", flat=True)
    found = (judge_rollout(key) for key in list(waiting))
    return [judged for judged in found if judged is not None]


def judge_rollout(key: int) -> Judged | None:
    """Judge one rollout by its key and do what is due; None when nothing is to be judged, or it moved meanwhile.

    It is looked at first, for as long as that takes; nobody waits for that. However many do this at once, one acts:
    they write one after the other, and the rollout refuses whoever looked at it before its newest move. A move that is
    refused (a freeze window) is noted, and tried again at the next look. What was looked at the last time and gave the
    same is not written down again.
    """
    evaluation, counts = _look(key)
    return _conclude(evaluation, counts) if evaluation is not None else None


def _look(key: int) -> tuple[CanaryEvaluation | None, CanaryCounts | None]:
    """An evaluation that says nothing yet, and what it is of; without counts its words say why there are none."""
    rollout = Rollout.objects.select_related("agent", "version", "baseline", "created_by").get(pk=key)
    rows = list(rollout.moves.order_by("id"))
    if not rows or State(rows[-1].state) not in JUDGED:
        return None, None
    now = database_now()
    place = standing([_moved(row) for row in rows], now)
    if place is None:
        return None, None
    missing_before = now - timedelta(minutes=settings.LONGEST_CALL_MINUTES + settings.CALL_GRACE_MINUTES)
    judging = rollout.judging
    count = count_from_prometheus if judging.figures == Figures.PROMETHEUS else count_rollout
    evaluation = CanaryEvaluation(
        rollout=rollout, move=rows[-1], step=place.step, missing_before=missing_before, action=UNDECIDED
    )
    try:
        return evaluation, count(rollout, judging, place, missing_before=missing_before)
    except NoFigures as problem:
        evaluation.words = f"Nothing is decided: {problem}"
        return evaluation, None


@transaction.atomic
def _conclude(evaluation: CanaryEvaluation, counts: CanaryCounts | None) -> Judged | None:
    """Say what the counts mean, do it and keep it; None when the rollout moved since it was looked at."""
    rollout = evaluation.rollout
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [rollout.pk % 2**31])
    if rollout.moves.filter(pk__gt=evaluation.move_id).exists():
        return None
    if counts is None:
        return _keep(evaluation, None)
    verdict = judge(policy_of(rollout.plan, rollout.judging), counts.seen)
    evaluation.action, evaluation.words, evaluation.body = verdict.action.value, verdict.words, verdict.as_json()
    evaluation.routed_to, evaluation.calls_to = counts.routed_to, counts.calls_to
    try:
        with transaction.atomic():
            move = _act(evaluation, verdict)
    except RolloutMoved:
        return None
    except Refused as refusal:
        evaluation.refusal = str(refusal)
        move = None
    return _keep(evaluation, move)


def _act(evaluation: CanaryEvaluation, verdict: Verdict) -> RolloutMove | None:
    rollout, move = evaluation.rollout, MOVES.get(verdict.action)
    if move is None or (State(evaluation.move.state) == State.HELD and move != Move.ROLL_BACK):
        return None
    with connection.cursor() as cursor:
        cursor.execute(NEXT_KEY)
        evaluation.pk = cursor.fetchone()[0]
    return move_rollout(
        rollout=rollout,
        move=move,
        by=By.JUDGE,
        reason=verdict.words,
        evaluation=evaluation.pk,
        seen_moves=evaluation.move_id,
        actor=None,
    )


def _keep(evaluation: CanaryEvaluation, move: RolloutMove | None) -> Judged:
    """Write the evaluation down, unless it says the same of the same as the last one and nothing was done."""
    rollout = evaluation.rollout
    last = rollout.evaluations.order_by("-id").first()
    judged = Judged(rollout, evaluation.words, move, evaluation.refusal)
    if move is None and last is not None and _input_of(last) == _input_of(evaluation):
        return judged
    evaluation.save(force_insert=True)
    return replace(judged, evaluation=evaluation)


def _input_of(evaluation: CanaryEvaluation) -> Any:
    """What an evaluation looked at and what came of it; that time went on makes no other."""
    said = (evaluation.move_id, evaluation.action, evaluation.refusal)
    if not evaluation.body:
        return (*said, evaluation.words)
    seen = json.loads(evaluation.body)["seen"]
    return (*said, {name: value for name, value in seen.items() if not name.startswith("seconds")})


def _moved(row: RolloutMove) -> Moved:
    return Moved(Move(row.move), State(row.state), row.step, row.share, row.at)
