"""PostgreSQL keeps rollouts and flags: one open rollout per agent, decided once, over is over, a key once."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from agentversions.models import Agent, User
from agentversions.services.publishing import publish
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, write_flag
from channels.core.rollout_judging import Judging, write_judging
from channels.core.rollout_states import State
from channels.core.rollout_steps import Preset, RolloutPlan, preset_steps, write_plan
from channels.models import Flag, FlagRevision, Rollout, RoutingChange

pytestmark = pytest.mark.django_db


def made(agent: Agent, actor: User) -> Rollout:
    baseline, version = (publish(agent=agent, name=name, description="", actor=actor) for name in ("One", "Two"))
    plan = RolloutPlan(agent.slug, version.number, baseline.number, "salt", preset_steps(Preset.BALANCED))
    return Rollout.objects.create(
        agent=agent,
        version=version,
        baseline=baseline,
        plan_body=write_plan(plan),
        judging_body=write_judging(Judging()),
        state=State.RUNNING,
        created_by=actor,
    )


def test_an_agent_has_one_rollout_that_is_not_over(agent: Agent, operator: User) -> None:
    rollout = made(agent, operator)
    again = {name: getattr(rollout, name) for name in ("agent", "version", "baseline", "plan_body", "judging_body")}
    with pytest.raises(IntegrityError, match="rollout_one_per_agent"), transaction.atomic():
        Rollout.objects.create(**again, created_by=operator)
    Rollout.objects.filter(pk=rollout.pk).update(state=State.ROLLED_BACK)
    Rollout.objects.create(**again, created_by=operator)


def test_only_where_it_stands_changes_and_nothing_once_it_is_over(agent: Agent, operator: User) -> None:
    rollout = made(agent, operator)
    Rollout.objects.filter(pk=rollout.pk).update(step=1, state=State.PAUSED)
    with pytest.raises(ProgrammingError, match="decided_once"), transaction.atomic():
        Rollout.objects.filter(pk=rollout.pk).update(plan_body="{}")
    Rollout.objects.filter(pk=rollout.pk).update(state=State.PROMOTED)
    with pytest.raises(ProgrammingError, match="over_is_over"), transaction.atomic():
        Rollout.objects.filter(pk=rollout.pk).update(state=State.RUNNING)


def test_the_log_tells_workers_of_both(agent: Agent, operator: User) -> None:
    rollout = made(agent, operator)
    before = RoutingChange.objects.count()
    Rollout.objects.filter(pk=rollout.pk).update(step=1)
    flag = Flag.objects.create(key="night-mode", agent=agent, created_by=operator)
    value = FlagValue("night-mode", FlagType.TOOL, "on", "off", agent=agent.slug, subject="book")
    FlagRevision.objects.create(flag=flag, number=1, body=write_flag(value), created_by=operator)
    told = list(RoutingChange.objects.order_by("id").values_list("kind", "key"))[before:]
    assert told == [("agent", agent.slug), ("flag", "night-mode")]
    assert FlagRevision.objects.get().value == value


def test_a_key_that_is_not_plain_is_refused_by_the_table(operator: User) -> None:
    with pytest.raises(IntegrityError, match="flag_key_is_plain"), transaction.atomic():
        Flag.objects.create(key="Night mode", created_by=operator)
