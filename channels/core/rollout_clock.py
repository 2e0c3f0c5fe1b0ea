"""When a rollout's times began, from its moves: the soak time of its step, and the longest time it may last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .rollout_states import Move
from .rollout_steps import RolloutPlan


@dataclass(frozen=True)
class Moved:
    """A move, and when it was made."""

    move: Move
    at: datetime


@dataclass(frozen=True)
class Clock:
    """Since when the rollout gives the version to callers, since when its step lasts, and since when its longest time
    counts: resuming counts that one anew, because the plan itself never changes."""

    started_at: datetime
    step_since: datetime
    counted_since: datetime

    def soaked_at(self, plan: RolloutPlan, step: int) -> datetime:
        """When the soak time of the step (from 0) that it stands at is over."""
        return self.step_since + timedelta(seconds=plan.steps[step].soak_s)

    def held_at(self, plan: RolloutPlan) -> datetime:
        """When a person is asked, unless it is decided before."""
        return self.counted_since + timedelta(seconds=plan.max_duration_s)


def clock_of(moves: Iterable[Moved]) -> Clock | None:
    """The clock after these moves, oldest first; None before the start."""
    started = step = counted = None
    for moved in moves:
        if moved.move == Move.START:
            started = step = counted = moved.at
        elif moved.move == Move.ADVANCE:
            step = moved.at
        elif moved.move == Move.RESUME:
            counted = moved.at
    return Clock(started, step, counted) if started and step and counted else None
