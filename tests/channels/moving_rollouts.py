"""A rollout of the clinic's V2 against its live V1, started the way an operator does."""

from typing import Any

from agentversions.models import Agent, User
from channels.core.rollout_states import By, Move
from channels.core.rollout_steps import Preset, preset_steps
from channels.models import Rollout, RolloutMove
from channels.services.rollouts import move_rollout, start_rollout


def start(agent: Agent, actor: User, **fields: Any) -> Rollout:
    fields = {"version": 2, "steps": preset_steps(Preset.BALANCED), **fields}
    return start_rollout(agent=agent, **fields, actor=actor)


def by_person(rollout: Rollout, move: Move, actor: User, reason: str = "Because") -> RolloutMove:
    return move_rollout(rollout=rollout, move=move, by=By.PERSON, reason=reason, actor=actor)


def by_judge(rollout: Rollout, move: Move, **fields: Any) -> RolloutMove:
    return move_rollout(rollout=rollout, move=move, by=By.JUDGE, reason="The figures say so.", **fields, actor=None)


def story(rollout: Rollout) -> list[tuple[str, str, int]]:
    """Move, state and share from then on, oldest first."""
    return list(rollout.moves.values_list("move", "state", "share"))
