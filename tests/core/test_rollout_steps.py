"""Rollouts as values: what can run, which arm a caller is in, and how a rollout sits on a route."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.core.bucketing import BUCKETS, bucket_of
from channels.core.rollout_routing import Served, refine
from channels.core.rollout_states import By, Move, State
from channels.core.rollout_steps import (
    DAY,
    HOUR,
    PRESETS,
    Arm,
    Preset,
    Rollout,
    RolloutPlan,
    Step,
    arm_of,
    errors_in,
    in_words,
    moved,
    preset_steps,
    read_plan,
    write_plan,
)
from channels.core.routes import Follow, Target, WantedVariant, single, split
from channels.core.routing import Reason, Unit, choose

PLAN = RolloutPlan("clinic", 8, 7, "salt of the rollout", preset_steps(Preset.BALANCED, soak_s=HOUR))
RUNNING = Rollout(PLAN, State.RUNNING)
UNITS = st.from_regex(r"\+[1-9][0-9]{7,12}", fullmatch=True) | st.text(max_size=20)
STATES = st.sampled_from(State)
SALTS = st.text("0123456789abcdef", min_size=1, max_size=8)


@st.composite
def plans(draw: st.DrawFn) -> RolloutPlan:
    """Plans that can run."""
    shares = sorted(draw(st.sets(st.integers(1, BUCKETS - 1), min_size=1, max_size=6)))
    margins = sorted(draw(st.lists(st.floats(1.1, 10), min_size=len(shares), max_size=len(shares))), reverse=True)
    steps = tuple(Step(share, margin, draw(st.integers(0, DAY))) for share, margin in zip(shares, margins, strict=True))
    return RolloutPlan("clinic", 8, draw(st.integers(1, 7)), draw(SALTS), steps, 14 * DAY)


@given(plans())
def test_a_plan_that_can_run_has_no_errors_and_comes_back_whole(plan: RolloutPlan) -> None:
    assert errors_in(plan) == ()
    assert read_plan(write_plan(plan)) == plan
    assert write_plan(read_plan(write_plan(plan))) == write_plan(plan)


@given(plans(), UNITS)
def test_a_share_that_grows_never_lets_a_caller_go(plan: RolloutPlan, unit: str) -> None:
    arms = [arm_of(Rollout(plan, State.RUNNING, step), unit).arm for step in range(len(plan.steps))]
    assert all(later == Arm.CANARY for now, later in pairwise(arms) if now == Arm.CANARY)


@given(plans(), UNITS, STATES, st.sampled_from(Unit))
def test_a_caller_is_in_one_arm_whenever_asked(plan: RolloutPlan, unit: str, state: State, counted: Unit) -> None:
    rollout = Rollout(plan, state)
    given_arm = arm_of(rollout, unit, counted)
    assert given_arm == arm_of(Rollout(read_plan(write_plan(plan)), state), unit, counted)
    assert given_arm.bucket == bucket_of(plan.salt, unit)
    assert (given_arm.arm == Arm.CANARY) == (state.splits_calls and given_arm.bucket < plan.steps[0].share)
    assert given_arm.share == (plan.steps[0].share if state.splits_calls else 0)
    assert given_arm.is_analysed == (counted == Unit.CALLER)


def test_the_canary_has_exactly_the_buckets_below_the_share() -> None:
    bucket = bucket_of(PLAN.salt, "+33612345678")
    for share, arm in ((bucket, Arm.STABLE), (bucket + 1, Arm.CANARY)):
        rollout = Rollout(replace(PLAN, steps=(Step(share, 2.0),)), State.RUNNING)
        assert arm_of(rollout, "+33612345678").arm == arm


def test_a_rollout_may_last_exactly_as_long_as_its_soak_times() -> None:
    assert errors_in(replace(PLAN, max_duration_s=3 * HOUR)) == ()


def test_two_rollouts_split_independently() -> None:
    """Within four standard errors of the product of both shares."""
    other = Rollout(replace(PLAN, salt="another salt"), State.RUNNING, 1)
    callers = [f"+336{number:08d}" for number in range(20_000)]
    both = sum(arm_of(RUNNING, caller).arm == arm_of(other, caller).arm == Arm.CANARY for caller in callers) / len(
        callers
    )
    assert abs(both - 0.1 * 0.25) < 4 * math.sqrt(0.025 * 0.975 / len(callers))


def test_a_withheld_caller_counts_by_the_call_and_is_not_analysed() -> None:
    arms = {arm_of(RUNNING, f"call-{number}", Unit.CALL) for number in range(200)}
    assert {each.arm for each in arms} == set(Arm)
    assert not any(each.is_analysed for each in arms)


def test_the_share_follows_state_and_step() -> None:
    rollout = Rollout(PLAN)
    shares = []
    moves = [Move.START, Move.ADVANCE, Move.PAUSE, Move.RESUME, Move.ADVANCE, Move.HOLD, Move.ROLL_BACK]
    for move in moves:
        rollout = moved(rollout, move, by=By.PERSON)
        shares.append(rollout.share)
    assert shares == [10_000, 25_000, 25_000, 25_000, 50_000, 50_000, 0]
    assert (rollout.state, rollout.step) == (State.ROLLED_BACK, 2)


def step(share: int, margin: float = 2.0, soak_s: int = HOUR) -> Step:
    return Step(share, margin, soak_s)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"version": 7}, "version", "V7 is live already"),
        ({"version": 0}, "version", "A draft cannot be rolled out"),
        ({"baseline": 0}, "baseline", "Make a version live first"),
        ({"salt": ""}, "salt", "no salt"),
        ({"steps": ()}, "steps", "at least one step"),
        ({"steps": tuple(step(share) for share in range(1, 12))}, "steps", "at most 10 steps"),
        ({"steps": (step(0),)}, "steps.0.share", "to nobody"),
        ({"steps": (step(-5),)}, "steps.0.share", "to nobody"),
        ({"steps": (step(10_000), step(100_000))}, "steps.1.share", "Stay below 100 %"),
        ({"steps": (step(25_000), step(10_000))}, "steps.1.share", "(10 %) must be above the step before it (25 %)"),
        ({"steps": (step(25_000), step(25_000))}, "steps.1.share", "must be above"),
        ({"steps": (step(10_000, 1.09),)}, "steps.0.margin", "at least 1.1"),
        ({"steps": (step(10_000, float("nan")),)}, "steps.0.margin", "at least 1.1"),
        ({"steps": (step(10_000), step(20_000, 10.5))}, "steps.1.margin", "step 2 must be at most 10"),
        ({"steps": (step(10_000, 2), step(20_000, 3))}, "steps.1.margin", "step 2 must not be above"),
        ({"steps": (step(10_000, 2, -1),)}, "steps.0.soak_s", "negative"),
        ({"max_duration_s": 0}, "max_duration_s", "how long"),
        ({"max_duration_s": 91 * DAY}, "max_duration_s", "at most 90 days"),
        ({"max_duration_s": 3 * HOUR - 1}, "max_duration_s", "add up to 3 h, but the rollout may last 2 h 59 min 59 s"),
    ],
)
def test_what_cannot_run_is_said_at_its_field(change: dict[str, object], path: str, words: str) -> None:
    errors = errors_in(replace(PLAN, **change))  # type: ignore[arg-type]
    assert [error.path for error in errors] == [path]
    assert words in errors[0].message
    assert errors[0].message.endswith(".")


def test_every_mistake_is_said_at_once() -> None:
    wrong = replace(PLAN, version=7, steps=(step(50_000, 1.0), step(10_000, 1.0)), max_duration_s=60)
    assert [error.path for error in errors_in(wrong)] == [
        "version", "steps.0.margin", "steps.1.share", "steps.1.margin", "max_duration_s",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_can_run_and_is_known_by_its_steps(preset: Preset) -> None:
    plan = replace(PLAN, steps=preset_steps(preset, soak_s=600))
    assert errors_in(plan) == ()
    assert plan.preset == preset
    own = (*plan.steps[:-1], replace(plan.steps[-1], margin=1.4))
    assert replace(plan, steps=own).preset == Preset.OWN


def test_presets_wait_as_long_as_they_say() -> None:
    times = {preset.value: (named.soak_s, named.max_duration_s) for preset, named in PRESETS.items()}
    assert times == {
        "balanced": (2 * HOUR, 30 * DAY), "fast": (30 * 60, 14 * DAY), "strict": (4 * HOUR, 60 * DAY),
    }  # fmt: skip
    assert all(step.soak_s == PRESETS[preset].soak_s for preset in PRESETS for step in preset_steps(preset))


def test_own_steps_have_no_preset_to_start_from() -> None:
    assert preset_steps(Preset.OWN) == ()


def test_a_plan_reads_as_its_steps() -> None:
    assert str(PLAN) == "clinic V7 → V8: 10 % → 25 % → 50 %"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (90, "1 min 30 s"), (DAY, "1 day"), (51 * HOUR, "2 days 3 h")]
)
def test_durations_read_as_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


LIVE, DRAFT, PINNED = Target("clinic", Follow.LIVE), Target("clinic"), Target("clinic", Follow.VERSION, 7)


@given(UNITS, st.sampled_from(Unit), st.sampled_from([LIVE, DRAFT, PINNED]))
def test_without_a_rollout_a_decision_stays_as_it_is(unit: str, counted: Unit, target: Target) -> None:
    decision = choose(single(target), unit)
    assert refine(decision, {}, unit, counted) == Served(target, Reason.STATIC, decision)
    assert refine(decision, {"another": RUNNING}, unit, counted).assignment is None


@given(UNITS, STATES)
def test_drafts_and_pins_are_never_split(unit: str, state: State) -> None:
    for target in (DRAFT, PINNED):
        decision = choose(single(target), unit)
        assert refine(decision, {"clinic": Rollout(PLAN, state)}, unit, Unit.CALLER) == Served(
            target, Reason.STATIC, decision
        )


@given(UNITS, STATES, st.sampled_from(Unit))
def test_live_is_split_while_the_rollout_has_callers(unit: str, state: State, counted: Unit) -> None:
    rollout = Rollout(PLAN, state, 1)
    served = refine(choose(single(LIVE), unit), {"clinic": rollout}, unit, counted)
    if not state.splits_calls:
        assert (served.target, served.reason, served.assignment) == (LIVE, Reason.STATIC, None)
        return
    assert served.assignment == arm_of(rollout, unit, counted)
    assert served.reason == Reason.SPLIT
    assert served.target == (Target("clinic", Follow.VERSION, 8) if served.is_canary else LIVE)


def test_a_variant_on_live_is_split_within_its_test_and_the_others_are_not() -> None:
    route = split([WantedVariant("A", LIVE, 50_000), WantedVariant("B", PINNED, 50_000)], salt="salt of the test")
    seen = set()
    for number in range(400):
        unit = f"+336{number:08d}"
        decision = choose(route, unit)
        served = refine(decision, {"clinic": Rollout(PLAN, State.RUNNING, 2)}, unit, Unit.CALLER)
        assert served.route == decision
        assert (served.assignment is None) == (decision.variant == "B")
        seen.add((decision.variant, served.target.word))
    assert seen == {("A", "Live"), ("A", "V8"), ("B", "V7")}
