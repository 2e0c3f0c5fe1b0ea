"""Where a rollout's moves have brought it: how long it and its step ran, and which shares were in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .rollout_states import Move, State
from .rollout_steps import RolloutPlan


@dataclass(frozen=True)
class Moved:
    """A move of a rollout: where it led, and the share (of 100,000) from then on."""

    move: Move
    state: State
    step: int
    share: int
    at: datetime


@dataclass(frozen=True)
class Standing:
    """Where a rollout is at a moment, `now`. It was `in_step` and `in_all` for as long as it ran: not paused, held or
    unhealthy. Calls routed before `since` say nothing any more where it `is_anew`: resumed after it was unhealthy.
    `periods` are the shares (above 0) in force since then, with their ends."""

    now: datetime
    step: int
    in_step: timedelta
    in_all: timedelta
    since: datetime
    is_anew: bool
    periods: tuple[tuple[int, datetime, datetime], ...]

    @property
    def seconds_in_step(self) -> int:
        """How long its step ran, in seconds."""
        return _seconds(self.in_step)

    @property
    def seconds(self) -> int:
        """How long it ran of its longest duration, in seconds."""
        return _seconds(self.in_all)

    def soaked_at(self, plan: RolloutPlan) -> datetime:
        """When the soak time of its step is over, if it goes on running."""
        return self.now - self.in_step + timedelta(seconds=plan.steps[self.step].soak_s)

    def held_at(self, plan: RolloutPlan) -> datetime:
        """When a person is asked, if it goes on running and nothing is decided before."""
        return self.now - self.in_all + timedelta(seconds=plan.max_duration_s)


def standing(moves: Iterable[Moved], now: datetime) -> Standing | None:
    """What the moves, oldest first, amount to at a moment; None before the start.

    A rollout that is resumed after it was held gets its longest duration again. One that is resumed after it was
    unhealthy begins to be judged anew, with its step: what was counted before cannot be trusted.
    """
    step, in_step, in_all = 0, timedelta(), timedelta()
    since, is_anew = None, False
    state, share, before = State.SCHEDULED, 0, now
    periods: list[tuple[int, datetime, datetime]] = []
    for each in [*moves, None]:
        at = each.at if each else now
        if state == State.RUNNING:
            in_step, in_all = in_step + (at - before), in_all + (at - before)
        if share and at > before:
            periods.append((share, before, at))
        if each is None:
            break
        if each.move == Move.START or (each.move == Move.RESUME and state == State.UNHEALTHY):
            since, periods, in_step, in_all = at, [], timedelta(), timedelta()
            is_anew = each.move == Move.RESUME
        elif each.move == Move.RESUME and state == State.HELD:
            in_all = timedelta()
        elif each.move == Move.ADVANCE:
            in_step = timedelta()
        step, state, share, before = each.step, each.state, each.share, at
    if since is None:
        return None
    return Standing(now, step, in_step, in_all, since, is_anew, tuple(periods))


def _seconds(span: timedelta) -> int:
    return max(int(span.total_seconds()), 0)
