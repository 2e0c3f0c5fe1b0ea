"""Planned changes: made once at their moment, taken back, cancelled, refused with words."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.models import Agent, User
from agentversions.models.database import database_now
from agentversions.services.agents import archive_agent
from agentversions.services.deployments import live_version, make_live
from agentversions.services.errors import AgentArchived
from channels.core.routes import Follow, Target, single
from channels.models import Channel, ScheduledChange, ScheduledStep
from channels.models.schedule import Outcome, Step
from channels.services.batches import undo_batch
from channels.services.errors import ScheduleRefused
from channels.services.routes import pin
from channels.services.schedule import cancel_scheduled, schedule_live, schedule_route
from channels.services.schedule_list import as_planned, planned_for_channel, upcoming
from channels.services.scheduled_runs import run_due_steps, run_step
from tests.factories import make_agent, make_user

from .scheduled import HOUR, Clock, plan_route, route_of

pytestmark = pytest.mark.django_db


def live(agent: Agent) -> int:
    version = live_version(agent)
    assert version is not None
    return version.number


def test_nothing_happens_before_its_moment(channels: list[Channel], operator: User) -> None:
    change = plan_route(channels, operator)
    assert run_step(change, Step.GO) is None
    assert run_due_steps() == 0
    assert route_of(channels[0]) == "clinic Draft"
    assert as_planned([change])[0].state == "planned"
    assert [each.change for each in planned_for_channel(channels[1])] == [change]


def test_a_change_is_made_at_its_moment_once_and_can_be_undone_like_any_other(
    channels: list[Channel], operator: User, clock: Clock
) -> None:
    change = plan_route(channels, operator, reason="Holiday line")
    clock.ahead = HOUR
    assert run_due_steps() == 1
    assert [route_of(channel) for channel in channels] == ["clinic V1"] * 3
    assert (run_due_steps(), run_step(change, Step.GO)) == (0, None)
    step = change.steps.get()
    assert (step.outcome, step.words) == (Outcome.DONE, "3 numbers were changed.")
    newest = channels[0].history.first()
    assert (newest.history_user, newest.history_change_reason) == (operator, "Holiday line")
    assert step.batch is not None
    undo_batch(batch=step.batch, actor=operator)
    assert route_of(channels[0]) == "clinic Draft"


def test_the_return_gives_back_what_answered_before_but_not_what_somebody_changed_since(
    channels: list[Channel], operator: User, clock: Clock
) -> None:
    change = plan_route(channels, operator, back_at=database_now() + 2 * HOUR)
    clock.ahead = HOUR
    run_due_steps()
    assert [each.state for each in upcoming()] == ["until"]
    pin(channel=channels[0], target=Target("clinic", Follow.VERSION, 3), actor=operator)
    clock.ahead = 5 * HOUR  # a return is made however late
    assert run_due_steps() == 1
    assert [route_of(channel) for channel in channels] == ["clinic V3", "clinic Draft", "clinic Draft"]
    assert f"left as they are: {channels[0]}" in change.steps.get(step=Step.BACK).words
    assert upcoming() == []


def test_a_version_becomes_live_and_the_one_before_returns(agent: Agent, operator: User, clock: Clock) -> None:
    version = agent.versions.get(number=3)
    now = database_now()
    schedule_live(version=version, at=now + HOUR, back_at=now + 2 * HOUR, time_zone="UTC", actor=operator)
    assert [each.waiting for each in upcoming()] == [Step.GO]
    clock.ahead = HOUR
    run_due_steps()
    assert live(agent) == 3
    clock.ahead = 2 * HOUR
    run_due_steps()
    newest = agent.deployments.newest_first().first()
    assert (newest.version.number, newest.is_rollback, newest.created_by) == (1, True, operator)


def test_a_return_leaves_what_somebody_made_live_since(agent: Agent, operator: User, clock: Clock) -> None:
    now = database_now()
    change = schedule_live(
        version=agent.versions.get(number=3), at=now + HOUR, back_at=now + 2 * HOUR, time_zone="UTC", actor=operator
    )
    clock.ahead = HOUR
    run_due_steps()
    make_live(version=agent.versions.get(number=2), actor=operator)
    clock.ahead = 2 * HOUR
    run_due_steps()
    assert live(agent) == 2
    step = change.steps.get(step=Step.BACK)
    assert (step.outcome, step.words) == (Outcome.REFUSED, "Somebody made V2 live since, so it stays.")


def test_a_planned_way_back_is_a_rollback_and_what_is_so_already_stays(
    agent: Agent, operator: User, clock: Clock
) -> None:
    make_live(version=agent.versions.get(number=3), actor=operator)
    first = agent.versions.get(number=1)
    at = database_now() + HOUR
    changes = [schedule_live(version=first, at=at, time_zone="UTC", actor=operator) for _ in range(2)]
    clock.ahead = HOUR
    assert run_due_steps() == 2
    done, again = (change.steps.get() for change in changes)
    assert done.deployment is not None
    assert done.deployment.is_rollback
    assert (again.words, again.deployment) == ("V1 was live already.", None)


def test_what_is_cancelled_never_happens(channels: list[Channel], operator: User, clock: Clock) -> None:
    change = plan_route(channels, operator, back_at=database_now() + 2 * HOUR)
    assert cancel_scheduled(change=change, actor=operator).by == operator
    clock.ahead = 3 * HOUR
    assert run_due_steps() == 0
    assert route_of(channels[0]) == "clinic Draft"
    with pytest.raises(ScheduleRefused, match="Nothing is left to cancel"):
        cancel_scheduled(change=change, actor=operator)


def test_a_return_can_be_cancelled_once_the_change_is_made(
    channels: list[Channel], operator: User, clock: Clock
) -> None:
    change = plan_route(channels, operator, back_at=database_now() + 2 * HOUR)
    clock.ahead = HOUR
    run_due_steps()
    cancel_scheduled(change=change, actor=operator)
    clock.ahead = 3 * HOUR
    assert run_due_steps() == 0
    assert route_of(channels[0]) == "clinic V1"


@pytest.mark.parametrize(
    ("at", "back_at", "words"),
    [
        (-HOUR, None, "has passed"),
        (HOUR, HOUR, "not after the change"),
        (timedelta(days=800), None, "two years"),
        (HOUR, timedelta(days=800), "two years"),
    ],
)
def test_moments_that_make_no_sense_are_refused(
    channels: list[Channel], operator: User, at: timedelta, back_at: timedelta | None, words: str
) -> None:
    now = database_now()
    with pytest.raises(ScheduleRefused, match=words):
        plan_route(channels, operator, at=now + at, back_at=now + back_at if back_at else None)
    assert not ScheduledChange.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_a_plan_and_its_jobs_are_one_transaction(channels: list[Channel], operator: User) -> None:
    change = plan_route(channels, operator, back_at=database_now() + 2 * HOUR)
    jobs = ProcrastinateJob.objects.order_by("scheduled_at")
    assert [(job.task_name, job.args, job.scheduled_at) for job in jobs] == [
        ("channels.run_scheduled_step", {"change": change.pk, "step": "go"}, change.at),
        ("channels.run_scheduled_step", {"change": change.pk, "step": "back"}, change.back_at),
    ]
    with transaction.atomic():
        plan_route(channels, operator)
        transaction.set_rollback(True)
    assert jobs.count() == 2


def test_what_no_worker_could_make_for_an_hour_is_not_made(
    channels: list[Channel], operator: User, clock: Clock
) -> None:
    late = plan_route(channels, operator)
    brief = plan_route(channels, operator, back_at=database_now() + HOUR + timedelta(minutes=5))
    clock.ahead = HOUR + timedelta(minutes=10)
    run_due_steps()
    assert late.steps.get().outcome == Outcome.DONE
    assert "the return would be due already" in brief.steps.get().words
    latest = plan_route(channels, operator, at=clock() + HOUR)
    clock.ahead += timedelta(hours=2, minutes=1)
    run_due_steps()
    assert "No worker was running at that time" in latest.steps.get().words


def test_a_refusal_changes_nothing_and_is_kept_with_its_words(
    agent: Agent, channels: list[Channel], operator: User, clock: Clock
) -> None:
    lost = make_user("operator")
    by_lost = plan_route(channels, lost)
    lost.roles = ["viewer"]
    lost.save()
    archived = make_agent(slug="closed")
    closed = schedule_route(
        channels=channels,
        plan=single(Target("closed", Follow.DRAFT)),
        at=database_now() + HOUR,
        time_zone="UTC",
        actor=operator,
    )
    archive_agent(agent=archived, actor=operator)
    clock.ahead = HOUR
    assert run_due_steps() == 2
    assert "may no longer change what answers" in by_lost.steps.get().words
    assert "is archived" in closed.steps.get().words
    assert {each.state for each in as_planned([by_lost, closed])} == {"refused"}
    assert route_of(channels[0]) == "clinic Draft"


def test_postgresql_lets_a_step_end_once(channels: list[Channel], operator: User) -> None:
    change = plan_route(channels, operator)
    ScheduledStep.objects.create(change=change, step=Step.GO, outcome=Outcome.DONE)
    with pytest.raises(IntegrityError, match="scheduled_step_ends_once"), transaction.atomic():
        ScheduledStep.objects.create(change=change, step=Step.GO, outcome=Outcome.REFUSED)


def test_an_archived_agent_is_not_planned(agent: Agent, operator: User) -> None:
    version = agent.versions.get(number=1)
    archive_agent(agent=agent, actor=operator)
    version.agent.refresh_from_db()
    with pytest.raises(AgentArchived):
        schedule_live(version=version, at=database_now() + HOUR, time_zone="UTC", actor=operator)
