"""How the judge reads a rollout: its plan as a policy, and where its moves have brought it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.core.rollout_judging import Counts, Guardrail, Judging, Rule
from channels.core.rollout_states import Move, State
from channels.core.rollout_steps import RolloutPlan

from .canary_policy import LEAST_CALLS, Label, MeanGuardrail, Mode, Policy, RateGuardrail, Step

RATES = {Guardrail.AUTOMATION: "calls that were not automated", Guardrail.SENTIMENT: "negative calls"}
"""Guardrails that count calls, by what they count, as the verdict's words name it."""
MEANS = {
    Guardrail.DURATION: MeanGuardrail("average duration"),
    Guardrail.LATENCY: MeanGuardrail("average latency"),
    Guardrail.JUDGE_SCORE: MeanGuardrail("calls judged a success", is_higher_worse=False),
}
"""Guardrails of an average; a judge's score is 1 for a success and 0 for a failure."""


def policy_of(plan: RolloutPlan, judging: Judging) -> Policy:
    """How a rollout is judged; decided when it was made."""
    return Policy(
        steps=tuple(
            Step(step.share, step.margin, LEAST_CALLS[min(at, len(LEAST_CALLS) - 1)], step.soak_s)
            for at, step in enumerate(plan.steps)
        ),
        longest=plan.max_duration_s,
        label=Label.SUCCESS if judging.counts == Counts.SUCCESSES else Label.FAILURE,
        rates=tuple(RateGuardrail(RATES[each]) for each in judging.guardrails if each in RATES),
        means=tuple(MEANS[each] for each in judging.guardrails if each in MEANS),
        mode=Mode.THRESHOLD if judging.rule == Rule.THRESHOLD else Mode.SEQUENTIAL,
        least_sample=judging.least_sample,
    )


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
    """Where a rollout is at a moment. Seconds are those in which it ran: not paused, held or unhealthy. Calls routed
    before `since` say nothing any more where it `is_anew`: resumed after it was unhealthy. `periods` are the shares
    (above 0) in force since then, with their ends."""

    step: int
    seconds_in_step: int
    seconds: int
    since: datetime
    is_anew: bool
    periods: tuple[tuple[int, datetime, datetime], ...]


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
    return Standing(step, _seconds(in_step), _seconds(in_all), since, is_anew, tuple(periods))


def _seconds(span: timedelta) -> int:
    return max(int(span.total_seconds()), 0)
