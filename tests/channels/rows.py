"""Rollouts and flags as rows, for tests of what hears of them: no service between."""

from django.db import transaction

from agentversions.models import Agent, AgentVersion, User
from channels.core.flags import Flag as FlagValue
from channels.core.flags import write_flag
from channels.core.rollout_judging import Judging, write_judging
from channels.core.rollout_states import State
from channels.core.rollout_steps import RolloutPlan, Step, write_plan
from channels.models import Flag, FlagRevision, Rollout


def put_flag(value: FlagValue, actor: User, *, is_archived: bool = False) -> FlagRevision:
    """The next revision of a flag, which is made when its key is new."""
    agent = Agent.objects.get(slug=value.agent) if value.agent else None
    with transaction.atomic():
        flag, _ = Flag.objects.get_or_create(key=value.key, defaults={"agent": agent, "created_by": actor})
        number = FlagRevision.objects.filter(flag=flag).count() + 1
        return FlagRevision.objects.create(
            flag=flag, number=number, body=write_flag(value), is_archived=is_archived, created_by=actor
        )


def put_rollout(
    baseline: AgentVersion,
    version: AgentVersion,
    *,
    shares: tuple[int, ...] = (10_000, 50_000),
    salt: str = "salt of the rollout",
    state: State = State.RUNNING,
) -> Rollout:
    """A rollout with these steps; it runs unless another state is named."""
    steps = tuple(Step(share, 2.0) for share in shares)
    plan = RolloutPlan(baseline.agent.slug, version.number, baseline.number, salt, steps)
    return Rollout.objects.create(
        agent=baseline.agent,
        version=version,
        baseline=baseline,
        plan_body=write_plan(plan),
        judging_body=write_judging(Judging()),
        state=state,
        created_by=version.created_by,
    )


def move(rollout: Rollout, *, step: int = 0, state: State = State.RUNNING) -> None:
    """Where it stands from now on."""
    Rollout.objects.filter(pk=rollout.pk).update(step=step, state=state)
