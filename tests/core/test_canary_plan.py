"""A rollout's plan becomes the judge's policy; its moves become seconds, without those in which it did not run."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.core.rollout_judging import Counts, Guardrail, Judging, Rule
from channels.core.rollout_states import Move, State
from channels.core.rollout_steps import Preset, RolloutPlan, Step, preset_steps
from monitoring.core.canary_plan import Moved, policy_of, standing
from monitoring.core.canary_policy import PRESETS, Label, Mode

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def moved(move: Move, minutes: float, *, step: int = 0, state: State = State.RUNNING, share: int = 10_000) -> Moved:
    return Moved(move, state, step, share, after(minutes))


def plan(*steps: Step) -> RolloutPlan:
    return RolloutPlan("clinic", 2, 1, "salt", steps, max_duration_s=86_400)


@pytest.mark.parametrize("preset", [Preset.BALANCED, Preset.FAST, Preset.STRICT])
def test_a_preset_asks_for_what_the_bars_were_measured_with(preset: Preset) -> None:
    policy = policy_of(plan(*preset_steps(preset, soak_s=0)), Judging())
    measured = PRESETS[preset.value].steps
    assert [(step.share, step.margin, step.least_calls) for step in policy.steps] == [
        (step.share, step.margin, step.least_calls) for step in measured
    ]
    assert policy.mode == Mode.SEQUENTIAL
    assert policy.rollback_alpha == 0.01


def test_what_was_decided_reaches_the_policy() -> None:
    judging = Judging(
        rule=Rule.THRESHOLD,
        counts=Counts.SUCCESSES,
        guardrails=(Guardrail.SENTIMENT, Guardrail.LATENCY),
        least_sample=7,
    )
    policy = policy_of(plan(Step(1_000, 2.0, 60), Step(2_000, 1.5, 0)), judging)
    assert (policy.mode, policy.label, policy.least_sample) == (Mode.THRESHOLD, Label.SUCCESS, 7)
    assert [step.soak for step in policy.steps] == [60, 0]
    assert [each.name for each in (*policy.rates, *policy.means)] == ["negative calls", "average latency"]
    assert policy.rollback_alpha == 0.005
    assert policy.longest == 86_400


def test_every_guardrail_is_judged() -> None:
    policy = policy_of(plan(Step(1_000, 2.0)), Judging(guardrails=tuple(Guardrail)))
    assert len(policy.rates) + len(policy.means) == len(Guardrail)
    assert not policy.problems()


def test_nothing_stands_before_the_start() -> None:
    assert standing([], after(5)) is None
    assert standing([moved(Move.CANCEL, 1, state=State.CANCELLED, share=0)], after(5)) is None


def test_pauses_do_not_count() -> None:
    found = standing(
        [
            moved(Move.START, 0),
            moved(Move.PAUSE, 10, state=State.PAUSED),
            moved(Move.RESUME, 40),
            moved(Move.ADVANCE, 50, step=1, share=25_000),
        ],
        after(57),
    )
    assert found is not None
    assert (found.step, found.seconds_in_step, found.seconds) == (1, 7 * 60, 27 * 60)
    assert (found.since, found.is_anew) == (BEGAN, False)
    # Callers were split while it was paused too.
    assert [(share, since) for share, since, _ in found.periods] == [
        (10_000, after(0)), (10_000, after(10)), (10_000, after(40)), (25_000, after(50)),
    ]  # fmt: skip
    assert found.periods[-1][2] == after(57)


def test_a_hold_that_was_resumed_gives_the_longest_duration_again() -> None:
    moves = [moved(Move.START, 0), moved(Move.HOLD, 60, state=State.HELD), moved(Move.RESUME, 90)]
    found = standing(moves, after(95))
    assert found is not None
    assert (found.seconds_in_step, found.seconds) == (65 * 60, 5 * 60)
    held = standing(moves[:2], after(80))
    assert held is not None
    assert held.seconds == 60 * 60


def test_what_was_counted_before_it_was_unhealthy_is_not_trusted() -> None:
    found = standing(
        [
            moved(Move.START, 0),
            moved(Move.ADVANCE, 30, step=1, share=25_000),
            moved(Move.FIND_UNHEALTHY, 60, step=1, state=State.UNHEALTHY, share=0),
            moved(Move.RESUME, 100, step=1, share=25_000),
        ],
        after(110),
    )
    assert found is not None
    assert (found.step, found.seconds_in_step, found.seconds, found.since, found.is_anew) == (
        1,
        600,
        600,
        after(100),
        True,
    )
    assert found.periods == ((25_000, after(100), after(110)),)


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    found = standing([moved(Move.START, 0)], after(-3))
    assert found is not None
    assert (found.seconds, found.periods) == (0, ())
