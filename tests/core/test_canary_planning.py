"""Policies of rollouts, and how long they take: beforehand, and from where one stands."""

import math
import random
from dataclasses import replace
from statistics import median

import pytest

from channels.core.rollout_judging import Counts
from monitoring.core.canary_evidence import Labels, log_harm, log_ok
from monitoring.core.canary_planning import failures_until_decided, first_passage, in_days, plan, rounded
from monitoring.core.canary_policy import (
    DAY,
    HOUR,
    PRESETS,
    MeanGuardrail,
    Policy,
    RateGuardrail,
    Step,
    counts_for,
    in_words,
    with_margins,
)

BALANCED = PRESETS["balanced"]


def test_presets_are_those_of_the_method() -> None:
    assert {name: in_words(policy) for name, policy in PRESETS.items()} == {
        "balanced": "10 → 25 → 50 %, margins 3 / 2 / 1.5",
        "fast": "10 → 50 %, margins 3 / 2",
        "strict": "10 → 25 → 50 %, margins 3 / 2 / 1.3",
    }
    for policy in PRESETS.values():
        assert policy.problems() == []
        assert [step.least_calls for step in policy.steps] == [50, 100, 200][: len(policy.steps)]
    own = with_margins(BALANCED, (2.5, 1.8, 1.4))
    assert own.problems() == []
    assert [step.margin for step in own.steps] == [2.5, 1.8, 1.4]
    with pytest.raises(ValueError, match="one margin per step: 3, not 1"):
        with_margins(BALANCED, (2.0,))


def step(share: int = 10_000, margin: float = 2.0, least_calls: int = 50, soak: int = HOUR) -> Step:
    return Step(share, margin, least_calls, soak)


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (Policy((), DAY), "at least one step"),
        (Policy((step(0),), DAY), "above 0 and below 100 %"),
        (Policy((step(100_000),), DAY), "above 0 and below 100 %"),
        (Policy((step(25_000), step(10_000)), DAY), "Steps go up"),
        (Policy((step(25_000), step(25_000)), DAY), "Steps go up"),
        (Policy((step(margin=1.05),), DAY), "A margin is from 1.1"),
        (Policy((step(margin=math.nan),), DAY), "A margin is from 1.1"),
        (Policy((step(margin=math.inf),), DAY), "A margin is from 1.1"),
        (Policy((step(margin=1.5), step(25_000, margin=2.0)), DAY), "Margins do not grow"),
        (Policy((step(soak=-1),), DAY), "not negative"),
        (Policy((step(soak=DAY),), DAY), "make it longer"),
        (Policy((step(),), DAY, least_sample=0), "at least one call"),
        (Policy((step(),), DAY, rates=(RateGuardrail("a"),), means=(MeanGuardrail("a"),)), "comes once"),
        (Policy((step(),), DAY, means=(MeanGuardrail("a", tolerance=1.0),)), "tolerance"),
        (Policy((step(),), DAY, means=(MeanGuardrail("a", tolerance=math.nan),)), "tolerance"),
    ],
)
def test_a_policy_says_what_is_wrong_with_it(policy: Policy, problem: str) -> None:
    assert len(policy.problems()) == 1
    assert problem in policy.problems()[0]


def test_successes_are_counted_where_more_than_three_in_ten_calls_fail() -> None:
    assert [counts_for(rate) for rate in (None, 0.05, 0.3, 0.31, 0.9)] == [Counts.FAILURES] * 3 + [Counts.SUCCESSES] * 2


def test_the_planner_says_how_long_a_healthy_canary_takes_and_what_is_faster() -> None:
    said = plan(BALANCED, failure_rate=0.05, calls_a_day=200)
    assert said.words == (
        "A healthy canary needs about 170 failed calls in all (19 of 20 at most 490) to be promoted: at 5 % errors and "
        "200 calls a day that is 17 days (at most 49 days). It would then reach its longest duration of 30 days: allow "
        "more. The fast preset (10 → 50 %, margins 3 / 2): 66 failed calls, 7 days. A larger share (20 → 50 %, margins "
        "3 / 1.5): 150 failed calls, 15 days."
    )
    # What the method's simulations found: 175 (95th percentile 500), 75, and 7,100 calls at 5 %.
    assert said.failures == pytest.approx(175, rel=0.1)
    assert said.failures_late == pytest.approx(500, rel=0.1)
    assert plan(PRESETS["fast"], failure_rate=0.05, calls_a_day=200).failures == pytest.approx(75, rel=0.15)
    assert plan(PRESETS["strict"], failure_rate=0.05, calls_a_day=200).failures / 0.05 == pytest.approx(7_100, rel=0.1)


def test_the_plan_heeds_soak_times_least_calls_and_the_rarer_label() -> None:
    busy = plan(BALANCED, failure_rate=0.05, calls_a_day=1e6)
    assert busy.days == pytest.approx(6 / 24)
    assert "that is 6 hours" in busy.words
    assert "allow more" not in busy.words
    # Half of the calls fail: evidence comes fast, but 50 calls of the canary at 10 % are 500 calls.
    often = plan(BALANCED, failure_rate=0.5, calls_a_day=100)
    assert "successful calls" in often.words
    assert often.days >= 5
    for failure_rate, calls in ((0.0, 200), (1.0, 200), (0.05, 0), (math.nan, 200), (0.05, math.nan)):
        with pytest.raises(ValueError, match="A forecast needs"):
            plan(BALANCED, failure_rate=failure_rate, calls_a_day=calls)


def test_what_is_offered_is_faster() -> None:
    half = replace(BALANCED, steps=(Step(50_000, 3.0, 50, HOUR),))
    assert "preset" not in plan(half, failure_rate=0.05, calls_a_day=200).words
    assert "larger share" not in plan(half, failure_rate=0.05, calls_a_day=200).words
    small = replace(BALANCED, steps=(Step(1_000, 2.0, 50, HOUR),))
    assert "larger share" in plan(small, failure_rate=0.05, calls_a_day=200).words


def test_the_forecast_reaches_the_bar_on_the_expected_way() -> None:
    labels = Labels.of({10_000: (3, 20)})
    needed = failures_until_decided(labels, share=10_000, margin=3.0, ratio=1.0, rollback_alpha=0.01)
    assert needed is not None
    assert log_ok(labels.expecting(needed, share=10_000, ratio=1.0), 3.0) >= math.log(20)
    assert log_ok(labels.expecting(0.95 * needed, share=10_000, ratio=1.0), 3.0) < math.log(20)
    needed = failures_until_decided(labels, share=10_000, margin=3.0, ratio=3.0, rollback_alpha=0.01)
    assert needed is not None
    assert log_harm(labels.expecting(needed, share=10_000, ratio=3.0)) >= math.log(100)
    assert failures_until_decided(Labels(), share=1, margin=1.1, ratio=1.0, rollback_alpha=0.01) is None


def test_the_forecast_is_about_right_for_simulated_canaries() -> None:
    """Seeded: 200 canaries that are no worse, at a share of one half and a margin of 2."""
    chance, taken = random.Random(17), []
    for _ in range(200):
        counts = [0, 0]
        while sum(counts) < 800 and log_ok(Labels.of({50_000: (counts[0], counts[1])}), 2.0) < math.log(20):
            counts[chance.random() >= 0.5] += 1
        taken.append(sum(counts))
    mean = failures_until_decided(Labels(), share=50_000, margin=2.0, ratio=1.0, rollback_alpha=0.01)
    assert mean is not None
    shape = (math.log(20) + math.log(17 / 6)) / 2
    assert median(taken) == pytest.approx(mean * first_passage(0.5, shape=shape), rel=0.25)
    assert sorted(taken)[190] == pytest.approx(mean * first_passage(0.95, shape=shape), rel=0.35)


def test_first_passage_times_have_the_inverse_gaussians_mean_and_variance() -> None:
    grid = [first_passage((at + 0.5) / 2_000, shape=2.0) for at in range(2_000)]
    mean = math.fsum(grid) / len(grid)
    assert mean == pytest.approx(1.0, abs=0.01)
    assert math.fsum((x - mean) ** 2 for x in grid) / len(grid) == pytest.approx(1 / 2.0, rel=0.05)


def test_numbers_are_said_with_two_digits_and_days_in_words() -> None:
    assert [rounded(number) for number in (1, 66, 168, 7_540)] == [1, 66, 170, 7_500]
    assert [in_days(days) for days in (0.001, 0.04, 0.25, 1, 16.8)] == [
        "1 hour",
        "1 hour",
        "6 hours",
        "1 day",
        "17 days",
    ]
