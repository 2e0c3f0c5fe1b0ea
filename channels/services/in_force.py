"""What stood above the routes at a moment: the rollout of an agent and the flags, from their append-only rows."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from agentversions.models import User
from channels.core.flag_sets import FlagInForce
from channels.core.flags import read_flag
from channels.core.rollout_states import State
from channels.core.rollout_steps import Rollout as RolloutValue
from channels.core.shares import percent
from channels.models import FlagRevision, RolloutMove


@dataclass(frozen=True)
class RolloutInForce:
    """A rollout as it stood, and who moved it there when and why (`moved_by` is None for the judge and the clock)."""

    id: int
    value: RolloutValue
    moved_at: datetime
    moved_by: User | None = None
    reason: str = ""

    @property
    def percent(self) -> str:
        """The share of callers that got the version, as people read it."""
        return percent(self.value.share)


def rollout_of_move(move: RolloutMove) -> RolloutInForce | None:
    """The rollout from a move on; None when that ended it."""
    state = State(move.state)
    if state.is_over:
        return None
    value = RolloutValue(move.rollout.plan, state, move.step)
    return RolloutInForce(move.rollout_id, value, move.at, move.actor, move.reason)


def moves_of(agents: Iterable[int], until: datetime | None = None) -> Iterable[RolloutMove]:
    """The moves of all rollouts of these agents, in the order in which they happened."""
    rows = RolloutMove.objects.filter(rollout__agent_id__in=agents).select_related("rollout", "actor")
    return (rows.filter(at__lte=until) if until else rows).order_by("id")


def rollout_at(agent: int, moment: datetime) -> RolloutInForce | None:
    """The rollout of an agent (its key) that was on at a moment; None before its start and after its end.

    An agent has one that is not over, so its newest move says it all.
    """
    newest = (
        RolloutMove.objects.filter(rollout__agent_id=agent, at__lte=moment)
        .select_related("rollout", "actor")
        .order_by("-id")
        .first()
    )
    return rollout_of_move(newest) if newest else None


def flags_at(agent: int, moment: datetime) -> tuple[FlagInForce, ...]:
    """The flags of an agent (its key) and of all agents as they stood at a moment, in order of their keys; without
    archived ones, and without what a newer release wrote and this one cannot read."""
    newest = (
        FlagRevision.objects.filter(Q(flag__agent_id=agent) | Q(flag__agent=None), created_at__lte=moment)
        .order_by("flag__key", "-number")
        .distinct("flag__key")
    )
    found = []
    for number, body, is_archived in newest.values_list("number", "body", "is_archived"):
        if not is_archived:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                found.append(FlagInForce(read_flag(body), number))
    return tuple(found)
