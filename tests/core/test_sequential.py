"""Confidence sequences: closed forms, laws, and simulations in which somebody looks at every call."""

import math
import random
from itertools import accumulate

import pytest

from monitoring.core.comparing import Verdict
from monitoring.core.comparing import rate as fixed_rate
from monitoring.core.sequential import (
    Arm,
    Sums,
    mean,
    mean_difference,
    radius,
    rate,
    rate_difference,
    rate_evidence,
    sums_of_rate,
    tuned_rho,
)
from monitoring.core.sequential_planning import calls_missing, calls_needed, information_needed, widest

BAR = math.log(20)


def arm(count: float, n: float) -> Arm:
    return Arm(sums_of_rate(count, n), {"": (n, count)})


def of_values(values: list[float]) -> Sums:
    squares = sum(value * value for value in values)
    return Sums(len(values), sum(values), squares, squares, sum(values), len(values))


@pytest.mark.parametrize("rate_", [0.02, 0.3, 0.5, 0.9])
def test_the_evidence_against_a_rate_is_the_product_of_its_predictions(rate_: float) -> None:
    """Jeffreys' prior predicts (successes + 1/2) / (calls + 1) for the next call."""
    chance, count, product = random.Random(3), 0, 1.0
    for n in range(200):
        is_one = chance.random() < rate_
        predicted = (count + 0.5) / (n + 1)
        product *= (predicted if is_one else 1 - predicted) / (rate_ if is_one else 1 - rate_)
        count += is_one
        assert rate_evidence(count, n + 1, rate_) == pytest.approx(math.log(product), abs=1e-9)


@pytest.mark.parametrize(("count", "n"), [(0, 20), (20, 20), (1, 29), (81, 263), (720, 1000)])
def test_a_rates_interval_ends_where_the_evidence_reaches_twenty(count: int, n: int) -> None:
    found = rate(sums_of_rate(count, n))
    assert found is not None
    for edge in (found.low, found.high):
        if edge not in {0.0, 1.0}:
            assert rate_evidence(count, n, edge) == pytest.approx(BAR, abs=1e-4)
    once = fixed_rate(count, n)
    assert once is not None
    assert found.low <= once.low
    assert found.high >= once.high
    assert found.high - found.low < 2.2 * (once.high - once.low)


def test_without_successes_the_interval_has_a_closed_form() -> None:
    """(1 − p)^n = 20^−1 · B(1/2, n + 1/2) / B(1/2, 1/2)."""
    n = 40
    ratio = math.gamma(0.5) * math.exp(math.lgamma(n + 0.5) - math.lgamma(n + 1)) / math.pi
    found = rate(sums_of_rate(0, n))
    assert found is not None
    assert found.low == 0.0
    assert found.high == pytest.approx(1 - (ratio / 20) ** (1 / n), abs=1e-9)


def test_the_mixture_is_narrowest_where_it_is_tuned() -> None:
    here = radius(1_000)
    assert here == pytest.approx(3.035 / math.sqrt(1_000), rel=1e-3)
    for factor in (0.5, 0.8, 1.25, 2.0):
        rho = factor * tuned_rho(0.05)
        reached = 1_000 + rho
        assert math.sqrt(reached * math.log(reached / (rho * 0.05**2))) / 1_000 > here
    # Lambert's W: −x = W(−α²/e) solves x·exp(−x) = α²/e.
    x = 1_000 / tuned_rho(0.05) + 1
    assert x * math.exp(-x) == pytest.approx(0.05**2 / math.e, rel=1e-9)


def test_words_follow_the_interval() -> None:
    assert [each.verdict for each in (
        rate_difference(arm(1_500, 2_000), arm(1_300, 2_000)),
        rate_difference(arm(1_320, 2_000), arm(1_300, 2_000)),
        rate_difference(arm(20, 20), arm(1, 2_000)),
    ) if each] == [Verdict.CLEAR, Verdict.WITHIN, Verdict.FEW]  # fmt: skip
    assert rate_difference(arm(1, 2), arm(0, 0)) is None
    assert rate(Sums()) is None
    assert mean(Sums(1, 5, 25, 25, 5, 1)) is None
    assert rate_difference(arm(1, 2), Arm(sums_of_rate(1, 2), {"other": (2, 1)})) is None


def test_an_interval_of_means_is_the_mixtures() -> None:
    values = [60.0, 62.0, 58.0, 100.0] * 25
    found = mean(of_values(values))
    assert found is not None
    spread = math.sqrt(sum((value - 70) ** 2 for value in values) / 99)
    assert (found.value, found.n) == (70, 100)
    assert found.high - found.value == pytest.approx(spread * radius(100))
    twice = Arm(of_values(values), {"": (100, 7_000)})
    longer = Arm(of_values([value + 30 for value in values]), {"": (100, 10_000)})
    difference = mean_difference(longer, twice)
    assert difference is not None
    assert difference.value == pytest.approx(30)
    assert difference.high - 30 == pytest.approx(spread * radius(50))
    assert difference.verdict == Verdict.CLEAR


def test_shares_that_change_while_the_rate_drifts_make_no_difference() -> None:
    """Simpson: 90 % of the calls of a good week against 10 % of it, and the other way round in a bad one."""
    head = Arm(sums_of_rate(760 + 40, 900 + 100), {"good": (950, 760), "bad": (100, 40)})
    base = Arm(sums_of_rate(80 + 360, 100 + 900), {"good": (100, 80), "bad": (900, 360)})
    plain = rate_difference(Arm(head.sums, {"": (1_050, 800)}), Arm(base.sums, {"": (1_000, 440)}))
    assert plain is not None
    assert plain.verdict == Verdict.CLEAR
    within = rate_difference(head, base)
    assert within is not None
    assert abs(within.value) < 1e-12
    assert within.verdict == Verdict.WITHIN


def test_callers_who_call_again_widen_the_interval() -> None:
    """100 callers of whom each calls four times with the same end tell as much as 100 calls."""
    again = Sums(n=400, total=280, squares=280, xx=70 * 16, xm=70 * 16, mm=100 * 16)
    assert again.design_effect == pytest.approx(4)
    one, four = rate(sums_of_rate(70, 100)), rate(again)
    assert one is not None
    assert four is not None
    assert (four.low, four.high) == (pytest.approx(one.low), pytest.approx(one.high))
    assert sums_of_rate(70, 100).design_effect == 1
    assert Sums(n=400, total=0, mm=1_600).design_effect == 4


@pytest.mark.parametrize("rate_", [0.02, 0.1, 0.5, 0.9])
def test_looking_at_every_call_leaves_the_rate_out_in_one_test_of_twenty_at_most(rate_: float) -> None:
    """Seeded: 120 tests of 1,000 calls; 13 or more would have a chance below 1 % at exactly 5 %."""
    chance = random.Random(17)
    left_out = 0
    for _ in range(120):
        counts = accumulate(chance.random() < rate_ for _ in range(1_000))
        left_out += any(rate_evidence(count, n, rate_) >= BAR for n, count in enumerate(counts, 1))
    assert left_out < 13


def test_two_equal_variants_are_found_different_in_one_test_of_twenty_at_most() -> None:
    """Seeded: 200 tests of 30 days, looked at every day; 19 or more would have a chance below 1 % at exactly 5 %."""
    chance = random.Random(23)
    found = 0
    for at in range(200):
        rate_ = (0.02, 0.1, 0.5, 0.9)[at % 4]
        counts = [0, 0, 0, 0]
        for _ in range(30):
            for _ in range(80):
                place = 2 * (chance.random() < 0.3)
                counts[place] += 1
                counts[place + 1] += chance.random() < rate_
            said = rate_difference(arm(counts[1], counts[0]), arm(counts[3], counts[2]))
            if said is not None and said.verdict == Verdict.CLEAR:
                found += 1
                break
    assert found < 19


def test_the_plan_is_where_a_difference_just_fits() -> None:
    needed = information_needed(0.45, 0.03)
    assert 0.45 * (radius(needed) + 0.8416212 / math.sqrt(needed)) == pytest.approx(0.03, rel=1e-3)
    even = calls_needed(0.72, 0.03, [0.5, 0.5])
    assert even is not None
    assert 13_500 < even < 15_500
    assert widest(0.1, 0.05) == pytest.approx(math.sqrt(0.15 * 0.85))
    assert calls_needed(0.72, 0.03, [0.9, 0.1]) == pytest.approx(even * 0.25 / 0.09, rel=1e-3)
    assert calls_needed(0.72, 0.03, [0.5, 0.5], counted=0.5) == pytest.approx(2 * even, rel=1e-3)
    three = calls_needed(0.72, 0.03, [0.4, 0.4, 0.2])
    assert three is not None
    assert three > even * 0.25 / (0.4 * 0.2 / 0.6)
    assert calls_needed(0.72, 0.03, [1.0, 0.0]) is None
    assert calls_needed(0.72, 0.03, [1.0]) is None


def test_what_is_missing_is_what_was_planned_less_what_came() -> None:
    needed = calls_needed(0.7, 0.05, [0.5, 0.5], counted=0.8)
    assert needed is not None
    arms = [arm(560, 800), arm(560, 800)]
    missing = calls_missing(arms, [0.5, 0.5], 0.05, calls=2_000)
    assert missing is not None
    assert missing == pytest.approx(needed - 2_000, rel=0.01)
    many = [arm(7_000, 10_000), arm(7_000, 10_000)]
    assert calls_missing(many, [0.5, 0.5], 0.05, calls=25_000) == 0
    assert calls_missing([arm(0, 0), arm(0, 0)], [0.5, 0.5], 0.05, calls=0) is None
    third = calls_missing([*arms, arm(0, 0)], [0.4, 0.4, 0.2], 0.05, calls=2_000)
    assert third is not None
    assert third > 2 * missing
