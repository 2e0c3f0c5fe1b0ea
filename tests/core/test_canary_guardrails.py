"""Further guardrails of a canary: what they find, what they cost, and what they never do."""

import math
import random
from dataclasses import replace

import pytest

from channels.core.rollout_judging import Counts
from monitoring.core.canary_decision import Action, decide
from monitoring.core.canary_evidence import Labels, log_harm
from monitoring.core.canary_guardrails import findings, harmful
from monitoring.core.canary_policy import PRESETS, MeanGuardrail, RateGuardrail
from monitoring.core.canary_verdict import judge
from monitoring.core.sequential import Arm, Sums

from .canaries import seen

SENTIMENT, AUTOMATION = RateGuardrail("negative sentiment"), RateGuardrail("automation rate", Counts.SUCCESSES)
DURATION = MeanGuardrail("duration")
SCORE = MeanGuardrail("judge score", is_higher_worse=False, tolerance=0.05)
GUARDED = replace(PRESETS["balanced"], rates=(SENTIMENT, AUTOMATION), means=(DURATION, SCORE))
OBSERVED = seen((5, 45), (100, 900))


def arm(values: list[float], stratum: str = "10") -> Arm:
    n, total, squares = len(values), math.fsum(values), math.fsum(value * value for value in values)
    return Arm(Sums(n, total, squares, squares, total, n), {stratum: (n, total)})


def values(mean: float, n: int, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [max(chance.gauss(mean, mean / 4), 0.0) for _ in range(n)]


def test_half_of_the_error_budget_stays_with_failed_calls_and_the_rest_is_shared() -> None:
    assert PRESETS["balanced"].rollback_alpha == 0.01
    assert GUARDED.rollback_alpha == 0.005
    assert GUARDED.guardrail_alpha == pytest.approx(0.005 / 4)
    assert GUARDED.rollback_alpha + 4 * GUARDED.guardrail_alpha == pytest.approx(0.01)
    assert judge(GUARDED, OBSERVED).statistics.harm_bar == 200
    assert [finding.bar for finding in findings(GUARDED, OBSERVED)[:2]] == [800, 800]


def test_a_guardrail_without_data_says_nothing() -> None:
    assert not harmful(GUARDED, OBSERVED)
    assert decide(GUARDED, OBSERVED).action == Action.ADVANCE
    assert [(each.name, each.is_harmful) for each in findings(GUARDED, OBSERVED)] == [
        ("negative sentiment", False),
        ("automation rate", False),
        ("duration", False),
        ("judge score", False),
    ]


def test_more_negative_sentiment_rolls_back_at_its_own_bar() -> None:
    for canary in range(5, 40):
        labels = Labels.of({10_000: (canary, 60)})
        observed = replace(OBSERVED, rates={"negative sentiment": labels})
        is_harmful = log_harm(labels) >= math.log(800)
        assert harmful(GUARDED, observed) == ["negative sentiment"] * is_harmful
        assert decide(GUARDED, observed).action == (Action.ROLL_BACK if is_harmful else Action.ADVANCE)
    assert judge(GUARDED, observed).words == "Roll back: the canary is worse beyond chance by negative sentiment."


def test_fewer_automated_calls_roll_back_where_successes_are_counted() -> None:
    fewer = replace(OBSERVED, rates={"automation rate": Labels.of({10_000: (25, 700)})})
    assert harmful(GUARDED, fewer) == ["automation rate"]
    more = replace(OBSERVED, rates={"automation rate": Labels.of({10_000: (150, 700)})})
    assert not harmful(GUARDED, more)


@pytest.mark.parametrize(
    ("guardrail", "canary", "is_harmful"),
    [
        (DURATION, 100.0, False),
        (DURATION, 108.0, False),
        (DURATION, 125.0, True),
        (DURATION, 60.0, False),
        (SCORE, 100.0, False),
        (SCORE, 97.0, False),
        (SCORE, 80.0, True),
        (SCORE, 130.0, False),
    ],
)
def test_an_average_is_harmful_when_it_is_worse_beyond_its_tolerance(
    guardrail: MeanGuardrail, canary: float, is_harmful: bool
) -> None:
    policy = replace(PRESETS["balanced"], means=(guardrail,))
    means = {guardrail.name: (arm(values(canary, 1_500, 1)), arm(values(100.0, 9_000, 2)))}
    found = findings(policy, replace(OBSERVED, means=means))[0]
    assert found.is_harmful == is_harmful
    assert found.canary == pytest.approx(canary, rel=0.02)
    assert found.beyond is not None
    assert found.beyond[1] < found.beyond[0] < found.beyond[2]
    assert (decide(policy, replace(OBSERVED, means=means)).action == Action.ROLL_BACK) == is_harmful
    sign = 1 if guardrail.is_higher_worse else -1
    assert found.beyond[0] == pytest.approx(sign * (canary - 100 * (1 + sign * guardrail.tolerance)), abs=1.5)


def test_averages_below_zero_get_a_tolerance_in_the_right_direction() -> None:
    policy = replace(PRESETS["balanced"], means=(MeanGuardrail("judge score", is_higher_worse=False),))
    negative = [-value for value in values(100.0, 2_000, 3)]
    means = {"judge score": (arm([1.05 * value for value in negative[:1_000]]), arm(negative[1_000:]))}
    assert not harmful(policy, replace(OBSERVED, means=means))
    means = {"judge score": (arm([1.3 * value for value in negative[:1_000]]), arm(negative[1_000:]))}
    assert harmful(policy, replace(OBSERVED, means=means)) == ["judge score"]


def test_of_few_calls_nothing_is_said_of_averages() -> None:
    policy = replace(PRESETS["balanced"], means=(DURATION,))
    for n, found in ((99, []), (100, ["duration"])):
        means = {"duration": (arm(values(500.0, n, 1)), arm(values(100.0, 900, 2)))}
        assert harmful(policy, replace(OBSERVED, means=means)) == found


def test_a_guardrail_never_lets_a_rollout_pass() -> None:
    better = {name: Labels.of({10_000: (0, 400)}) for name in ("negative sentiment",)}
    assert decide(GUARDED, seen((3, 20), (40, 360), rates=better)).action == Action.CONTINUE
