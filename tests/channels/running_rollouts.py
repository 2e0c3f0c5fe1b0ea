"""A rollout of an agent's newest version against the version before it, which is made live."""

from typing import Any

from agentversions.models import Agent, User
from agentversions.services.deployments import live_version, make_live
from channels.core.rollout_steps import Preset, preset_steps
from channels.models import Rollout
from channels.services.rollouts import start_rollout
from tests.factories import make_agent, make_user, make_version


def make_rollout(agent: Agent | None = None, *, actor: User | None = None, **fields: Any) -> Rollout:
    """One that runs; of two versions of a new agent unless one is named. Fields are those of `start_rollout`."""
    operator = actor or make_user("operator")
    if agent is None:
        agent = make_agent()
        make_version(agent)
        make_version(agent, system_prompt="Answer in French.")
    newest = agent.versions.order_by("-number").first()
    assert newest is not None
    if live_version(agent) is None:
        make_live(version=agent.versions.get(number=newest.number - 1), actor=operator)
    fields = {"version": newest.number, "steps": preset_steps(Preset.BALANCED, soak_s=0), **fields}
    return start_rollout(agent=agent, **fields, actor=operator)
