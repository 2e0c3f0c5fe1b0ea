"""The sequential check of the split: closed forms, what it never says, what it finds."""

import math
import random
from fractions import Fraction

import pytest

from monitoring.core.sequential_ratio import BROKEN, CONCENTRATION, Stratum, check_split, split_evidence

EVEN = {"Control": 50_000, "Test": 50_000}


def two(control: int, test: int, shares: dict[str, int] | None = None) -> Stratum:
    return Stratum({"Control": control, "Test": test}, shares or EVEN)


def test_the_evidence_is_the_product_of_the_mixtures_predictions() -> None:
    """Exactly, in fractions: the next caller is predicted by (callers so far + prior) / (all + concentration)."""
    shares = {"A": 7, "B": 2, "C": 1}
    chance, counts, product = random.Random(5), dict.fromkeys(shares, 0), Fraction(1)
    for n in range(120):
        name = chance.choices(list(shares), [5, 3, 2])[0]
        predicted = (counts[name] + int(CONCENTRATION) * Fraction(shares[name], 10)) / (n + int(CONCENTRATION))
        product *= predicted / Fraction(shares[name], 10)
        counts[name] += 1
    assert split_evidence(Stratum(counts, shares)) == pytest.approx(math.log(product), abs=1e-9)


def test_periods_with_shares_of_their_own_multiply() -> None:
    first, second = two(300, 310), two(90, 12, {"Control": 90, "Test": 10})
    both = check_split([first, second])
    assert math.log(both.evidence) == pytest.approx(split_evidence(first) + split_evidence(second))
    assert both.counts == {"Control": 390, "Test": 322}
    assert both.expected == {"Control": pytest.approx(305 + 91.8), "Test": pytest.approx(305 + 10.2)}
    assert not both.is_broken
    # As if the shares had never changed, the same callers would look wrong.
    assert check_split([two(390, 322, {"Control": 90, "Test": 10})]).is_broken


def test_a_caller_of_a_variant_without_a_share_is_proof() -> None:
    assert check_split([Stratum({"Control": 10, "Gone": 1}, EVEN)]).is_broken
    assert not check_split([]).is_broken
    assert check_split([two(10, 9)]).is_early
    assert check_split([two(60, 0)]).is_broken


def test_a_right_split_is_called_broken_in_one_test_of_a_thousand_at_most() -> None:
    """Seeded: 400 tests of 1,500 callers, looked at every 25; 4 or more would have a chance below 1 % at 0.1 %."""
    chance = random.Random(29)
    broken = 0
    for _ in range(400):
        control = 0
        for day in range(1, 61):
            control += sum(chance.random() < 0.5 for _ in range(25))
            if split_evidence(two(control, 25 * day - control)) >= math.log(BROKEN):
                broken += 1
                break
    assert broken < 4


def test_55_to_45_instead_of_even_is_found_within_some_thousand_callers() -> None:
    chance = random.Random(31)
    needed = []
    for _ in range(30):
        counts = [0, 0]
        while not check_split([two(*counts)]).is_broken:
            for _ in range(50):
                counts[chance.random() < 0.45] += 1
        needed.append(sum(counts))
    assert sorted(needed)[15] < 2_500
    assert max(needed) < 6_000
