"""The e-processes of a canary: closed forms by brute force, laws, and what they promise, simulated."""

import math
import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.canary_evidence import (
    AROUND_ONE,
    EITHER,
    HARM,
    HARM_WEIGHTS,
    LIKELY,
    OK_PRIOR,
    Labels,
    estimate,
    expected_part,
    log_differs,
    log_harm,
    log_likelihood,
    log_mean,
    log_ok,
    most_likely,
    ok_grid,
    shown,
)

CALLS = st.lists(st.tuples(st.sampled_from([1_000, 10_000, 25_000, 50_000, 90_000]), st.booleans()), max_size=60)


def probability(share: int, ratio: float, is_canary: bool) -> Fraction:
    """f(label; ρ(w, r)), exactly."""
    w, r = Fraction(share, 100_000), Fraction(str(ratio))
    rho = w * r / (w * r + 1 - w)
    return rho if is_canary else 1 - rho


def by_brute_force(calls: list[tuple[int, bool]], ratios: list[float], weights: list[float], against: float) -> float:
    """Σ_j π_j Π_i f(label_i; ρ(w_i, r_j)) / f(label_i; ρ(w_i, against)), in fractions, call by call."""
    total = Fraction(0)
    for ratio, weight in zip(ratios, weights, strict=True):
        part = Fraction(str(weight))
        for share, is_canary in calls:
            part *= probability(share, ratio, is_canary) / probability(share, against, is_canary)
        total += part
    return float(total / sum(Fraction(str(weight)) for weight in weights))


@pytest.mark.parametrize("labels", list(product([True, False], repeat=4)))
def test_harm_is_the_mixture_of_likelihood_ratios_call_by_call(labels: tuple[bool, ...]) -> None:
    calls = list(zip([10_000, 10_000, 25_000, 50_000], labels, strict=True))
    expected = by_brute_force(calls, list(HARM.ratios), list(HARM_WEIGHTS), 1)
    assert math.exp(log_harm(Labels.from_calls(calls))) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("margin", [3.0, 2.0, 1.5, 1.3, 1.1])
@pytest.mark.parametrize("seed", range(4))
def test_ok_is_the_mixture_below_the_margin_against_the_margin(margin: float, seed: int) -> None:
    chance = random.Random(seed)
    calls = [(chance.choice([10_000, 50_000]), chance.random() < 0.3) for _ in range(25)]
    prior = [(ratio, weight) for ratio, weight in OK_PRIOR if ratio < 0.95 * margin]
    expected = by_brute_force(calls, [r for r, _ in prior], [w for _, w in prior], margin)
    assert math.exp(log_ok(Labels.from_calls(calls), margin)) == pytest.approx(expected, rel=1e-10)


def test_evidence_has_mean_one_where_its_hypothesis_is_true() -> None:
    """Over all label sequences, weighted by their probability: exactly the definition of an e-value."""
    shares = [10_000, 10_000, 25_000, 25_000, 50_000, 50_000]
    for against, log_evidence in (
        (1.0, log_harm),
        (1.0, log_differs),
        (2.0, lambda labels: log_ok(labels, 2.0)),
    ):
        mean = 0.0
        for arms in product([True, False], repeat=len(shares)):
            calls = list(zip(shares, arms, strict=True))
            chance = math.prod(float(probability(share, against, arm)) for share, arm in calls)
            mean += chance * math.exp(log_evidence(Labels.from_calls(calls)))
        assert mean == pytest.approx(1.0, abs=1e-12)


def test_a_better_canary_or_a_worse_one_than_the_margin_has_a_mean_below_one() -> None:
    for truth, log_evidence in ((0.7, log_harm), (2.5, lambda labels: log_ok(labels, 2.0))):
        mean = 0.0
        for arms in product([True, False], repeat=6):
            calls = [(25_000, arm) for arm in arms]
            chance = math.prod(float(probability(25_000, truth, arm)) for arm in arms)
            mean += chance * math.exp(log_evidence(Labels.from_calls(calls)))
        assert mean < 1.0


@given(CALLS, st.randoms(use_true_random=False))
def test_the_order_of_calls_does_not_matter(calls: list[tuple[int, bool]], chance: random.Random) -> None:
    mixed = calls[:]
    chance.shuffle(mixed)
    assert Labels.from_calls(mixed) == Labels.from_calls(calls)


@given(CALLS, st.sampled_from([1_000, 10_000, 25_000, 50_000, 90_000]), st.floats(1.1, 4))
def test_a_failure_of_the_canary_speaks_for_harm_and_one_of_the_stable_version_against_it(
    calls: list[tuple[int, bool]], share: int, margin: float
) -> None:
    now = Labels.from_calls(calls)
    worse, better = Labels.from_calls([*calls, (share, True)]), Labels.from_calls([*calls, (share, False)])
    assert log_harm(better) < log_harm(now) < log_harm(worse)
    assert log_ok(worse, margin) < log_ok(now, margin) < log_ok(better, margin)
    likely = [most_likely(labels) for labels in (better, worse)]
    assert likely[0] is not None
    assert likely[1] is not None
    assert likely[0] <= likely[1]


@given(CALLS)
def test_labels_add_up_and_swap(calls: list[tuple[int, bool]]) -> None:
    labels, half = Labels.from_calls(calls), len(calls) // 2
    assert Labels.from_calls(calls[:half]).plus(Labels.from_calls(calls[half:])) == labels
    assert labels.swapped.swapped == labels
    assert labels.swapped == Labels.from_calls([(100_000 - share, not arm) for share, arm in calls])
    assert labels.total == len(calls)
    # Swapped, r is its reciprocal.
    assert log_likelihood(labels.swapped, 0.5) == pytest.approx(log_likelihood(labels, 2.0), abs=1e-9)
    assert log_differs(labels.swapped) == pytest.approx(log_differs(labels), abs=1e-9)


@given(CALLS.filter(bool))
def test_the_confidence_sequence_is_all_ratios_that_are_not_ruled_out(calls: list[tuple[int, bool]]) -> None:
    labels = Labels.from_calls(calls)
    found = estimate(labels)
    assert found is not None
    assert found.low < found.high
    mixture = math.log(
        sum(
            math.exp(weight + log_likelihood(labels, ratio))
            for ratio, weight in zip(AROUND_ONE.ratios, AROUND_ONE.log_weights, strict=True)
        )
    )
    for edge, outward in ((found.low, 0.99), (found.high, 1.01)):
        if 0 < edge < math.inf:
            assert mixture - log_likelihood(labels, edge) == pytest.approx(math.log(20), abs=1e-4)
            assert mixture - log_likelihood(labels, edge * outward) > math.log(20)
    assert found.low <= found.expected <= found.high


def test_the_most_likely_ratio_is_the_maximum_of_its_grid() -> None:
    labels = Labels.of({10_000: (9, 41), 50_000: (30, 22)})
    assert most_likely(labels) == max(LIKELY.ratios, key=lambda ratio: log_likelihood(labels, ratio)) == 1.55
    assert most_likely(Labels()) is None
    assert estimate(Labels()) is None
    assert LIKELY.ratios[0] == 0.3
    assert LIKELY.ratios[-1] == 3.0
    assert len(LIKELY.ratios) == 55
    # Nobody of the canary failed: nothing is too small.
    found = estimate(Labels.of({50_000: (0, 40)}))
    assert found is not None
    assert found.low == 0.0


def test_calls_at_a_share_of_none_or_all_say_nothing_about_the_ratio() -> None:
    labels = Labels.of({10_000: (3, 9)})
    more = labels.plus(Labels.of({0: (0, 50), 100_000: (70, 0)}))
    assert log_harm(more) == log_harm(labels)
    assert estimate(more) == estimate(labels)
    assert more.total == 132


def test_labels_that_cannot_be_are_refused() -> None:
    for counts in (((10_000, -1, 2),), ((100_001, 1, 2),), ((20_000, 1, 1), (10_000, 1, 1)), ((1, 0, 1), (1, 1, 0))):
        with pytest.raises(ValueError, match=r"(Shares are|share, by)"):
            Labels(counts)


def test_grids_are_those_of_the_method() -> None:
    assert HARM.ratios == (1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20, 50)
    assert [round(27 * math.exp(weight)) for weight in HARM.log_weights] == list(HARM_WEIGHTS)
    assert ok_grid(1.5).ratios == (0.3, 0.5, 0.7, 0.85, 1, 1.1, 1.2, 1.35)
    assert ok_grid(1.3).ratios == (0.3, 0.5, 0.7, 0.85, 1, 1.1, 1.2)
    assert ok_grid(3.0).ratios[-1] == 2
    for grid in (HARM, EITHER, AROUND_ONE, ok_grid(2.0)):
        assert sum(map(math.exp, grid.log_weights)) == pytest.approx(1)


def test_a_mean_of_evidences_is_taken_of_the_evidences_and_huge_ones_are_cut_off() -> None:
    assert log_mean(math.log(3), math.log(7)) == pytest.approx(math.log(5))
    assert log_mean(5_000.0, 0.0) == pytest.approx(5_000 - math.log(2))
    assert shown(5_000.0) < math.inf
    assert shown(math.log(123.4567)) == 123.457
    assert expected_part(10_000, 1.0) == 0.1


def test_a_canary_that_is_no_worse_is_called_harmful_in_one_of_a_hundred_at_most() -> None:
    """Seeded: 400 rollouts of 600 failures, the share grows twice, looked at after every fifth failure; 10 or more
    would have a chance below 1 % at 1 %. The same leave r = 1 out of the confidence sequence in 5 % at most."""
    chance, harmful, left_out = random.Random(41), 0, 0
    for _ in range(400):
        counts = {10_000: [0, 0], 25_000: [0, 0], 50_000: [0, 0]}
        is_harmful = is_out = False
        for at in range(600):
            share = (10_000, 25_000, 50_000)[at // 200]
            counts[share][chance.random() >= share / 100_000] += 1
            if at % 5 == 4:
                labels = Labels.of({share: (row[0], row[1]) for share, row in counts.items()})
                is_harmful = is_harmful or log_harm(labels) >= math.log(100)
                if at % 50 == 49:
                    found = estimate(labels)
                    is_out = is_out or (found is not None and not found.low <= 1 <= found.high)
        harmful, left_out = harmful + is_harmful, left_out + is_out
    assert harmful < 10
    assert left_out <= 20
