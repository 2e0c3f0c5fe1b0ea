"""Whoever gives a version to callers passes the same gate: rollouts, the clock, planned changes; promoting does not."""

import pytest

from agentversions.core.release import Verdict
from agentversions.models import Agent, RollbackReview, User
from agentversions.models.database import database_now
from agentversions.services.approvals import ask_approval, decide
from agentversions.services.deployments import live_version
from agentversions.services.errors import NotAllowed, NotReady
from agentversions.services.readiness import override_readiness
from agentversions.services.release_rules import set_rules
from channels.core.rollout_states import Move, State
from channels.models import Rollout
from channels.models.schedule import Outcome
from channels.services.rollout_starts import start_all_due
from channels.services.schedule import schedule_live
from channels.services.scheduled_runs import run_due_steps
from tests.factories import make_user

from .moving_rollouts import by_judge, by_person, start
from .scheduled import HOUR, Clock, make_clinic

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    """V1 is live; its versions need one approval."""
    agent = make_clinic()
    need(agent, 1)
    return agent


@pytest.fixture
def operator() -> User:
    return make_user("operator", username="otto")


def need(agent: Agent, approvals: int) -> None:
    set_rules(agent=agent, approvals=approvals, tolerance=0, suites=[], actor=make_user("admin"))


def approve(agent: Agent, number: int) -> None:
    version = agent.versions.get(number=number)
    request = ask_approval(version=version, actor=agent.created_by)
    decide(request=request, verdict=Verdict.APPROVE, digest=request.digest, seen_live=1, actor=make_user("approver"))


def test_a_rollout_starts_only_with_a_version_that_is_ready(agent: Agent, operator: User) -> None:
    with pytest.raises(NotReady, match="approval of 1 person"):
        start(agent, operator)
    with pytest.raises(NotAllowed):
        start(agent, operator, override_reason="Hurry")
    assert not Rollout.objects.exists()
    approve(agent, 2)
    assert start(agent, operator).state == State.RUNNING


def test_an_override_lets_a_rollout_start_and_its_promotion_shows_it(agent: Agent, operator: User) -> None:
    override_readiness(version=agent.versions.get(number=2), reason="Outage", actor=make_user("approver"))
    row = by_person(start(agent, operator), Move.PROMOTE, operator)
    assert row.deployment is not None
    assert row.deployment.override is not None
    assert row.deployment.override.reason == "Outage"


def test_the_judge_promotes_without_asking_again(agent: Agent, operator: User) -> None:
    need(agent, 0)
    rollout = start(agent, operator)
    need(agent, 2)
    for move in (Move.ADVANCE, Move.ADVANCE, Move.PROMOTE):
        by_judge(rollout, move)
    assert str(live_version(agent)) == "V2"
    assert not RollbackReview.objects.exists()


def test_a_planned_rollout_is_asked_again_when_it_starts(
    agent: Agent, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in ("channels.services.rollouts", "channels.services.rollout_starts"):
        monkeypatch.setattr(f"{module}.database_now", clock)
    approve(agent, 2)
    rollout = start(agent, operator, starts_at=database_now() + HOUR)
    need(agent, 2)
    with pytest.raises(NotReady):
        by_person(rollout, Move.START, operator)
    clock.ahead = HOUR
    start_all_due()
    ended = rollout.moves.get()
    assert (ended.move, ended.by) == ("cancel", "clock")
    assert ended.reason.startswith("It could not start as planned. V2 may not go to callers yet.")


def test_a_planned_change_is_refused_at_its_moment_with_the_words(
    agent: Agent, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.replace(monkeypatch)
    version = agent.versions.get(number=2)
    refused = schedule_live(version=version, at=database_now() + HOUR, time_zone="UTC", actor=operator)
    clock.ahead = HOUR
    run_due_steps()
    step = refused.steps.get()
    assert step.outcome == Outcome.REFUSED
    assert step.words.startswith("V2 may not go to callers yet.")
    assert str(live_version(agent)) == "V1"
    approve(agent, 2)
    schedule_live(version=version, at=database_now() + 2 * HOUR, time_zone="UTC", actor=operator)
    clock.ahead = 2 * HOUR
    run_due_steps()
    assert str(live_version(agent)) == "V2"
