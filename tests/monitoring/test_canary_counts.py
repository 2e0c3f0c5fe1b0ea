"""What the judge is given equals the calls: first calls of callers, the share they were routed at, missing ends."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.core.rollout_clock import Moved, standing
from channels.core.rollout_judging import Counts, Guardrail, Judging
from channels.core.rollout_states import By, Move, State
from channels.models import Rollout, RolloutMove
from channels.services.rollouts import move_rollout
from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.records import read_record
from monitoring.services.canary_counts import count_rollout
from monitoring.services.ingest import ingest
from tests.factories import make_user

from .canary import RoutedOne, begin, failing, number_of, route, run, ship, take

pytestmark = pytest.mark.django_db


def seen_of(rollout: Rollout, *, missing_before: datetime | None = None) -> Observations:
    moves = [
        Moved(Move(row.move), State(row.state), row.step, row.share, row.at) for row in rollout.moves.order_by("id")
    ]
    place = standing(moves, database_now())
    assert place is not None
    before = missing_before or database_now() - timedelta(hours=1)
    return count_rollout(rollout, rollout.judging, place, missing_before=before).seen


def advance(rollout: Rollout) -> RolloutMove:
    return move_rollout(rollout=rollout, move=Move.ADVANCE, by=By.PERSON, actor=make_user("operator"))


def first_of(calls: list[RoutedOne], **counted: Any) -> Labels:
    """The independent answer: a walk over the calls in the order of their routing."""
    known: set[int | None] = set()
    labels = []
    for call in sorted(calls, key=lambda each: each.at):
        if call.caller is not None and call.caller not in known:
            known.add(call.caller)
            labels.append((call.assignment.share, call.is_canary))
    return Labels.from_calls(labels)


def test_nothing_is_known_without_calls(agent: Agent) -> None:
    seen = seen_of(begin(agent))
    assert (seen.step, seen.canary, seen.stable, seen.labels) == (0, ArmCalls(), ArmCalls(), Labels())


def test_counts_are_calls_and_labels_are_callers_at_the_share_of_their_routing(agent: Agent) -> None:
    rollout = begin(agent)
    chance = random.Random(1)
    says = failing(lambda caller: caller % 5 == 0, lambda caller: caller % 7 == 0)
    calls = run(rollout, [chance.randrange(300) for _ in range(600)], says)
    advance(rollout)
    calls += run(rollout, [chance.randrange(300) for _ in range(600)], says)
    failed = [call for call in calls if (call.caller or 0) % (5 if call.is_canary else 7) == 0]
    seen = seen_of(rollout)
    for arm, is_canary in ((seen.canary, True), (seen.stable, False)):
        mine = [call for call in calls if call.is_canary == is_canary]
        assert arm == ArmCalls(len(mine), len(mine), len([call for call in mine if call in failed]))
    assert seen.callers == first_of(calls)
    assert seen.labels == seen.labels_or_missing == first_of(failed)
    assert {share for share, _, _ in seen.labels.counts} == {10_000, 25_000}
    assert seen.missing == Labels()


def test_a_call_whose_end_does_not_come_is_missing_once_it_is_old(agent: Agent) -> None:
    rollout = begin(agent)
    calls = run(rollout, range(400), lambda call: None if call.is_canary else {"error": False})
    silent = [call for call in calls if call.is_canary]
    young = seen_of(rollout)
    assert (young.canary, young.missing) == (ArmCalls(), Labels())
    old = seen_of(rollout, missing_before=database_now() + timedelta(minutes=1))
    assert old.canary == ArmCalls(due=len(silent))
    assert old.stable.missing == 0
    assert old.missing == old.labels_or_missing == first_of(silent)
    assert old.labels == Labels()


def test_a_record_without_an_end_is_not_an_end(agent: Agent) -> None:
    rollout = begin(agent)
    run(rollout, range(40), lambda call: {"status": "in_progress"})
    seen = seen_of(rollout, missing_before=database_now() + timedelta(minutes=1))
    assert seen.canary.recorded == seen.stable.recorded == 0
    assert seen.canary.missing + seen.stable.missing == 40


def test_a_call_whose_routing_was_lost_counts_by_its_resolution(agent: Agent) -> None:
    rollout = begin(agent)
    says = failing(lambda caller: True, lambda caller: caller % 2 == 0)
    calls = route(rollout, range(200))
    ship(rollout, calls[::2])
    take(rollout, calls, says)
    seen = seen_of(rollout)
    assert seen.canary.due + seen.stable.due == 200
    assert seen.callers == first_of(calls)
    assert seen.labels == first_of([call for call in calls if call.is_canary or (call.caller or 0) % 2 == 0])


def test_a_record_without_a_resolution_counts_by_its_id(agent: Agent) -> None:
    rollout = begin(agent)
    calls = route(rollout, range(60))
    ship(rollout, calls)
    take(rollout, calls, failing(lambda caller: True, lambda caller: True), with_token=False)
    seen = seen_of(rollout)
    assert seen.canary.failed + seen.stable.failed == 60


def test_a_record_with_another_id_counts_once_for_the_call_that_its_resolution_names(agent: Agent) -> None:
    rollout = begin(agent)
    calls = route(rollout, range(30))
    ship(rollout, calls)
    for prefix in ("one", "two"):
        take(rollout, calls, lambda call, prefix=prefix: {"id": f"{prefix}-{call.call_id}", "error": True})  # type: ignore[misc]
    seen = seen_of(rollout)
    assert seen.canary.due + seen.stable.due == 30
    assert seen.canary.failed + seen.stable.failed == 30


def test_withheld_callers_and_test_calls_are_left_out(agent: Agent) -> None:
    rollout = begin(agent)
    run(rollout, [None] * 50, failing(lambda caller: True, lambda caller: True))
    run(rollout, range(20), lambda call: {"error": True, "is_test": True})
    take(rollout, route(rollout, [None] * 20), failing(lambda caller: True, lambda caller: True))
    assert seen_of(rollout) == replace(seen_of(rollout), canary=ArmCalls(), stable=ArmCalls(), callers=Labels())


def test_calls_past_the_split_are_not_counted(agent: Agent) -> None:
    rollout = begin(agent)
    ingest(
        [read_record({"id": f"x{at}", "agent": "clinic", "version": 2, "started_at": database_now(), "error": True,
                      "caller": number_of(at), "status": "ended"}) for at in range(20)],
        source="api",
    )  # fmt: skip
    assert seen_of(rollout).canary == ArmCalls()


def test_successes_are_counted_where_most_calls_fail(agent: Agent) -> None:
    rollout = begin(agent, judging=Judging(counts=Counts.SUCCESSES))
    calls = run(rollout, range(200), failing(lambda caller: caller % 4 != 0, lambda caller: caller % 4 != 0))
    seen = seen_of(rollout)
    assert seen.labels == first_of([call for call in calls if (call.caller or 0) % 4 == 0])
    assert seen.stable.failed == len([call for call in calls if not call.is_canary and (call.caller or 0) % 4])


def test_guardrails_are_what_their_calls_add_up_to(agent: Agent) -> None:
    rollout = begin(agent, judging=Judging(guardrails=tuple(Guardrail)))

    def says(call: RoutedOne) -> dict[str, Any]:
        caller = call.caller or 0
        return {
            "engaged": True,
            "transferred": caller % 3 == 0,
            "sentiment": "negative" if caller % 4 == 0 else "positive",
            "duration_s": 10 + caller,
            "evaluation": ("success", "fail", None)[caller % 3],
            "latency_ms": 100 + caller % 2,
        }

    calls = run(rollout, [at % 150 for at in range(300)], says)
    seen = seen_of(rollout)
    assert seen.rates["calls that were not automated"] == first_of(
        [call for call in calls if (call.caller or 0) % 3 == 0]
    )
    assert seen.rates["negative calls"] == first_of([call for call in calls if (call.caller or 0) % 4 == 0])
    canary, stable = seen.means["average duration"]
    lengths = [10.0 + (call.caller or 0) for call in calls if call.is_canary]
    callers = {call.caller for call in calls if call.is_canary}
    assert (canary.sums.n, canary.sums.total) == (len(lengths), sum(lengths))
    # Everybody called twice, for as long.
    assert canary.sums.mm == 4 * len(callers)
    assert canary.sums.squares == pytest.approx(sum(length**2 for length in lengths))
    assert canary.sums.xx == pytest.approx(sum((2 * (10 + (caller or 0))) ** 2 for caller in callers))
    assert canary.strata == {"10000": (len(lengths), sum(lengths))}
    assert stable.sums.n == 300 - len(lengths)
    judged = [call for call in calls if call.is_canary and (call.caller or 0) % 3 < 2]
    score = seen.means["calls judged a success"][0].sums
    assert (score.n, score.total) == (len(judged), len([call for call in judged if (call.caller or 0) % 3 == 0]))
    assert seen.means["average latency"][0].sums.n == len(lengths)


def test_only_calls_since_it_was_unhealthy_count_after_it_was_resumed(agent: Agent) -> None:
    rollout = begin(agent)
    before = database_now() - timedelta(seconds=1)
    run(rollout, range(100), failing(lambda caller: True, lambda caller: True), at=before)
    move_rollout(rollout=rollout, move=Move.FIND_UNHEALTHY, by=By.JUDGE, actor=None)
    move_rollout(rollout=rollout, move=Move.RESUME, by=By.PERSON, actor=make_user("operator"))
    calls = run(rollout, range(50), failing(lambda caller: True, lambda caller: True))
    seen = seen_of(rollout)
    assert seen.canary.due + seen.stable.due == 50
    assert seen.labels == first_of(calls)
