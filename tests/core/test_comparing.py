"""Intervals against published values, and their coverage by simulation."""

import math
import random
from statistics import NormalDist

import pytest

from monitoring.core.comparing import Verdict, mean, mean_difference, rate, rate_difference


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_rates_interval_is_wilsons(count: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857, table I, method 3."""
    estimate = rate(count, n)
    assert estimate is not None
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("head", "base", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((5, 56), (0, 29), -0.0381, 0.1926)],
)
def test_a_difference_of_rates_is_newcombes(
    head: tuple[int, int], base: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 873, table II, method 10."""
    difference = rate_difference(rate(*head), rate(*base))
    assert difference is not None
    assert (difference.low, difference.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_the_words_follow_the_interval() -> None:
    said = [
        rate_difference(rate(750, 1000), rate(700, 1000)),
        rate_difference(rate(75, 100), rate(70, 100)),
        rate_difference(rate(20, 20), rate(1, 20)),
    ]
    assert [each.verdict for each in said if each] == [Verdict.CLEAR, Verdict.WITHIN, Verdict.FEW]
    assert rate_difference(rate(1, 2), rate(0, 0)) is None
    assert mean_difference(mean(0, 0, 0), mean(1, 1, 1)) is None


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    chance = random.Random(7)
    held_rate = held_mean = 0
    for _ in range(1000):
        counts = [sum(chance.random() < share for _ in range(120)) for share in (0.74, 0.70)]
        difference = rate_difference(rate(counts[0], 120), rate(counts[1], 120))
        assert difference is not None
        held_rate += difference.low <= 0.04 <= difference.high
        values = [[chance.lognormvariate(4, 0.8) for _ in range(120)] for _ in range(2)]
        sums = [mean(sum(each), sum(value * value for value in each), len(each)) for each in values]
        between = mean_difference(sums[0], sums[1])
        assert between is not None
        held_mean += between.low <= 0 <= between.high
    spread = NormalDist().inv_cdf(0.9995) * math.sqrt(1000 * 0.05 * 0.95)
    assert abs(held_rate - 950) < spread
    assert abs(held_mean - 950) < spread
