"""The judge acts once, writes down what it saw and why, and never promotes for lack of evidence."""

import io
import json
import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, connections, transaction
from django.test import TestCase
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.models import Agent, AuditEntry, Deployment
from agentversions.services.deployments import live_version
from agentversions.services.freezes import lift_freeze
from channels.core.rollout_judging import Guardrail, Judging, Rule
from channels.core.rollout_states import By, Move, State
from channels.core.rollout_steps import Step
from channels.models import Rollout, RolloutMove
from channels.services.rollouts import move_rollout
from monitoring.core.canary_verdict import judge
from monitoring.models import CanaryEvaluation
from monitoring.services import canary_calling
from monitoring.services.canary_judge import Judged, judge_all, judge_rollout
from tests.channels.scheduled import freeze
from tests.factories import make_agent, make_user, make_version

from .canary import RoutedOne, begin, failing, route, run, ship, take

HALF = (Step(50_000, 1.5, 0),)
GOOD = failing(lambda caller: caller % 5 == 0, lambda caller: caller % 5 == 0)
BAD = failing(lambda caller: caller % 2 == 0, lambda caller: caller % 20 == 0)
FINE = failing(lambda caller: False, lambda caller: False)


def judged(rollout: Rollout) -> Judged:
    found = judge_rollout(rollout.pk)
    assert found is not None
    rollout.refresh_from_db()
    return found


def moves(rollout: Rollout) -> list[str]:
    return list(rollout.moves.order_by("id").values_list("move", flat=True))


def silent(call: RoutedOne) -> None:
    return None


@pytest.mark.django_db
class TestOne:
    def test_it_says_what_is_missing_and_does_nothing(self, agent: Agent) -> None:
        rollout = begin(agent)
        said = judged(rollout)
        assert said.words.startswith("Continue: about ")
        assert said.words.endswith("more canary calls decide it.")
        assert (said.move, rollout.state) == (None, State.RUNNING)

    def test_a_canary_that_fails_more_often_is_rolled_back_with_its_reason(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF)
        run(rollout, range(200), BAD)
        said = judged(rollout)
        assert said.move is not None
        assert said.evaluation is not None
        assert (rollout.state, said.move.share, said.move.actor) == (State.ROLLED_BACK, 0, None)
        assert said.move.reason == said.evaluation.words
        assert said.move.evaluation == said.evaluation.pk
        assert str(live_version(agent)) == "V1"
        entry = AuditEntry.objects.get(action="rollout rolled back")
        assert (entry.actor, entry.reason) == (None, said.words)
        assert judge_rollout(rollout.pk) is None

    def test_an_identical_canary_goes_step_by_step_and_is_promoted(self, agent: Agent) -> None:
        rollout = begin(agent, steps=(Step(25_000, 3.0, 0), Step(50_000, 2.0, 0)))
        for start in range(0, 2_000, 500):
            run(rollout, range(start, start + 500), GOOD)
            judge_all()
        rollout.refresh_from_db()
        assert moves(rollout) == ["start", "advance", "promote"]
        assert rollout.state == State.PROMOTED
        assert str(live_version(agent)) == "V2"
        assert list(rollout.evaluations.order_by("id").values_list("action", flat=True))[-1] == "promote"

    def test_a_silent_canary_is_never_promoted_and_ends_unhealthy(self, agent: Agent, settings: Any) -> None:
        settings.LONGEST_CALL_MINUTES = settings.CALL_GRACE_MINUTES = 0
        rollout = begin(agent)
        run(rollout, range(600), lambda call: None if call.is_canary else {"error": False})
        said = judged(rollout)
        assert rollout.state == State.UNHEALTHY
        assert "never arrived" in said.words
        assert rollout.value.share == 0
        assert judge_rollout(rollout.pk) is None

    def test_without_any_record_nothing_is_promoted(self, agent: Agent, settings: Any) -> None:
        rollout = begin(agent, max_duration_s=3_600)
        run(rollout, range(800), silent)
        assert judged(rollout).words.startswith("Continue")
        settings.LONGEST_CALL_MINUTES = settings.CALL_GRACE_MINUTES = 0
        judged(rollout)
        assert rollout.state == State.UNHEALTHY

    def test_a_soak_time_is_waited_for(self, agent: Agent) -> None:
        rollout = begin(agent, steps=(Step(50_000, 3.0, 3_600), Step(60_000, 3.0, 0)))
        run(rollout, range(800), GOOD)
        assert "passed once it has lasted 1 h" in judged(rollout).words
        assert moves(rollout) == ["start"]

    def test_the_same_is_written_once_and_new_calls_again(self, agent: Agent) -> None:
        rollout = begin(agent)
        run(rollout, range(50), FINE)
        first = judged(rollout)
        assert first.evaluation is not None
        assert judged(rollout).evaluation is None
        assert CanaryEvaluation.objects.count() == 1
        run(rollout, range(50, 60), FINE)
        assert judged(rollout).evaluation is not None
        assert CanaryEvaluation.objects.count() == 2

    def test_an_evaluation_holds_what_gave_it(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF, judging=Judging(guardrails=(Guardrail.SENTIMENT,)))
        calls = run(rollout, range(300), GOOD)
        evaluation = judged(rollout).evaluation
        assert evaluation is not None
        body = json.loads(evaluation.body)
        assert body["words"] == evaluation.words
        assert body["action"] == evaluation.action
        assert body["seen"]["canary"]["due"] == len([call for call in calls if call.is_canary])
        assert body["policy"]["rates"] == [{"counts": "failures", "name": "negative calls"}]
        assert evaluation.move.move == "start"
        assert evaluation.routed_to > 0
        assert evaluation.calls_to > 0

    def test_an_evaluation_is_never_changed(self, agent: Agent) -> None:
        judged(begin(agent))
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            CanaryEvaluation.objects.update(words="x")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            CanaryEvaluation.objects.all().delete()

    def test_a_paused_rollout_is_not_judged(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF)
        run(rollout, range(200), BAD)
        move_rollout(rollout=rollout, move=Move.PAUSE, by=By.PERSON, actor=make_user("operator"))
        assert judge_all() == []
        move_rollout(rollout=rollout, move=Move.RESUME, by=By.PERSON, actor=make_user("operator"))
        judge_all()
        assert moves(rollout)[-1] == "roll_back"

    def test_a_held_rollout_is_rolled_back_on_harm_and_else_left(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF)
        move_rollout(rollout=rollout, move=Move.HOLD, by=By.PERSON, actor=make_user("operator"))
        run(rollout, range(1_600), GOOD)
        assert judged(rollout).words.startswith("Promote")
        assert rollout.state == State.HELD
        run(rollout, range(1_600, 2_600), failing(lambda caller: True, lambda caller: False))
        judged(rollout)
        assert rollout.state == State.ROLLED_BACK

    def test_a_freeze_is_noted_once_and_it_is_tried_again(self, agent: Agent) -> None:
        rollout = begin(agent, steps=(Step(25_000, 3.0, 0), Step(50_000, 2.0, 0)))
        run(rollout, range(500), GOOD)
        window = freeze()
        for _ in range(2):
            said = judged(rollout)
            assert "freeze" in said.refusal
            assert said.words.startswith("Advance to 50 %")
        assert [each.refusal for each in rollout.evaluations.all()] == [said.refusal]
        lift_freeze(freeze=window, actor=make_user("admin"))
        assert judged(rollout).move is not None
        assert moves(rollout) == ["start", "advance"]

    def test_a_freeze_does_not_keep_a_bad_canary(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF)
        run(rollout, range(200), BAD)
        freeze()
        judged(rollout)
        assert rollout.state == State.ROLLED_BACK

    def test_the_simple_rule_decides_where_it_is_chosen(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF, judging=Judging(rule=Rule.THRESHOLD, least_sample=20))
        run(rollout, range(20), FINE)
        assert "the simple rule needs" in judged(rollout).words
        run(rollout, range(20, 120), failing(lambda caller: caller % 4 == 0, lambda caller: caller % 5 == 0))
        said = judged(rollout)
        assert "times as often" in said.words
        assert said.evaluation is not None

    def test_at_its_longest_duration_it_is_held(self, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        rollout = begin(agent, max_duration_s=7_200)
        run(rollout, range(20), FINE)
        from datetime import timedelta

        from agentversions.models.database import database_now

        later = database_now() + timedelta(hours=3)
        monkeypatch.setattr("monitoring.services.canary_judge.database_now", lambda: later)
        said = judged(rollout)
        assert said.words.startswith("Hold")
        assert rollout.state == State.HELD

    def test_the_command_prints_what_was_said(self, agent: Agent) -> None:
        rollout = begin(agent, steps=HALF)
        run(rollout, range(200), BAD)
        output = io.StringIO()
        call_command("judge_rollouts", stdout=output)
        call_command("judge_rollouts", stdout=output)
        first, second = output.getvalue().splitlines()
        assert first.startswith(f"Rollout {rollout.pk} (clinic V1 → V2: 50 %): Roll back: ")
        assert first.endswith(" Done.")
        assert second == "No rollout is running."

    def test_a_burst_of_calls_makes_one_look(self, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(canary_calling, "_called_until", 0.0)
        rollout = begin(agent)
        calls = route(rollout, range(20))
        with TestCase.captureOnCommitCallbacks(execute=True):
            for call in calls:
                take(rollout, [call], FINE)
        waiting = ProcrastinateJob.objects.filter(task_name=canary_calling.JUDGE_TASK, status="todo")
        assert waiting.count() == 1

    def test_other_calls_call_nobody(self, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(canary_calling, "_called_until", 0.0)
        rollout = begin(agent)
        calls = route(rollout, range(5))
        with TestCase.captureOnCommitCallbacks(execute=True) as called:
            take(rollout, calls, FINE, with_token=False)
        assert canary_calling._call not in called
        assert not ProcrastinateJob.objects.filter(task_name=canary_calling.JUDGE_TASK).exists()


@pytest.mark.django_db(transaction=True)
def test_many_evaluators_at_once_make_one_action_and_one_audit_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = make_agent(slug="clinic")
    for name in ("One", "Two"):
        make_version(agent, name=name)
    rollout = begin(agent, steps=HALF)
    calls = route(rollout, range(200))
    ship(rollout, calls)
    take(rollout, calls, BAD)
    # All have judged before the first of them acts, so that the lock between evaluators is not what is tried here.
    ready, said = threading.Barrier(4), []

    def together(policy: Any, seen: Any) -> Any:
        ready.wait(20)
        return judge(policy, seen)

    monkeypatch.setattr("monitoring.services.canary_judge.judge", together)
    monkeypatch.setattr("monitoring.services.canary_judge.LOCK", "SELECT %s::int")

    def evaluate() -> None:
        try:
            said.append(judge_rollout(rollout.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=evaluate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(said) == 4
    assert len([each for each in said if each is not None and each.move is not None]) == 1
    assert RolloutMove.objects.filter(rollout=rollout, move=Move.ROLL_BACK).count() == 1
    assert AuditEntry.objects.filter(action="rollout rolled back").count() == 1
    assert CanaryEvaluation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_evaluators_promote_once() -> None:
    agent = make_agent(slug="clinic")
    for name in ("One", "Two"):
        make_version(agent, name=name)
    rollout = begin(agent, steps=(Step(50_000, 3.0, 0),))
    calls = route(rollout, range(800))
    ship(rollout, calls)
    take(rollout, calls, GOOD)

    def evaluate() -> None:
        try:
            judge_all()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=evaluate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert moves(rollout) == ["start", "promote"]
    assert Deployment.objects.filter(agent=agent).count() == 2
    assert CanaryEvaluation.objects.count() == 1
    connection.close()
