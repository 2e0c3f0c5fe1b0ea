"""Intervals, tests and agreement against values that others computed; comparisons and scores of runs."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.evaluations.comparing import compare_runs
from agentversions.core.evaluations.scoring import ALL, Graded, score, score_by_tag
from agentversions.core.evaluations.statistics import bootstrap_difference, exact_interval, kappa, sign_test


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    # R: binom.test(hits, count)$conf.int
    [
        (7, 10, 0.3475471, 0.9332605),
        (0, 10, 0.0, 0.3084971),
        (10, 10, 0.6915029, 1.0),
        (950, 1000, 0.9346031, 0.9626604),
    ],
)
def test_the_exact_interval_is_clopper_and_pearson_s(hits: int, count: int, low: float, high: float) -> None:
    found = exact_interval(hits, count)
    assert math.isclose(found.low, low, abs_tol=2e-4)
    assert math.isclose(found.high, high, abs_tol=2e-4)


@given(st.integers(1, 400), st.data())
def test_the_exact_interval_leaves_two_and_a_half_percent_on_each_side(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(1, count))
    low = exact_interval(hits, count).low
    above = sum(math.comb(count, k) * low**k * (1 - low) ** (count - k) for k in range(hits, count + 1))
    assert math.isclose(above, 0.025, rel_tol=1e-6)


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_sign_test_is_the_sum_of_the_binomial_s_tails(worse: int, better: int) -> None:
    count, fewer = worse + better, min(worse, better)
    tail = sum(math.comb(count, k) for k in range(fewer + 1)) / 2**count
    assert math.isclose(sign_test(worse, better), min(1.0, 2 * tail), rel_tol=1e-9)


def test_kappa_is_cohen_s_own_example_and_silent_where_chance_explains_all() -> None:
    # Twenty both yes, five and ten of two minds, fifteen both no: 0.4.
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([]) is None
    assert kappa([(True, True)] * 9) is None


def test_the_bootstrap_is_the_same_each_time_covers_the_difference_and_is_quick_for_many_cases() -> None:
    pairs = [(1.0, True, True)] * 30_000 + [(1.0, True, False)] * 12_000 + [(2.0, False, True)] * 8_000
    started = time.monotonic()
    found = bootstrap_difference(pairs)
    assert time.monotonic() - started < 1
    assert found == bootstrap_difference(pairs)
    truth = (-12_000 + 16_000) / 58_000
    assert found.low < truth < found.high
    assert found.high - found.low < 0.02


def test_a_score_is_the_weighted_share_of_what_was_decided() -> None:
    cases = [
        Graded("a", "pass", 3, tags=("x",)),
        Graded("b", "fail", 1, must_pass=True, tags=("x", "y")),
        Graded("c", "invalid", 9, must_pass=True),
        Graded("d", "error"),
    ]
    found = score(cases)
    assert (found.share, found.cases, found.undecided) == (0.75, 4, 2)
    assert found.must_pass_failed == ["b", "c"]
    by_tag = score_by_tag(cases)
    assert list(by_tag) == [ALL, "x", "y"]
    assert by_tag["y"].share == 0
    assert score([]).share is None


def test_the_flip_table_names_what_broke_per_tag() -> None:
    base = [Graded("a", "pass"), Graded("b", "fail"), Graded("c", "pass"), Graded("d", "pass"), Graded("old", "pass")]
    head = [
        Graded("a", "fail", must_pass=True, tags=("hours",)),
        Graded("b", "pass", tags=("hours",)),
        Graded("c", "pass"),
        Graded("d", "error"),
        Graded("new", "fail"),
    ]
    found = compare_runs(base, head)
    assert {flip.name: flip.kind for flip in found.flips} == {
        "a": "broken", "b": "mended", "c": "passes", "d": "unclear",
    }  # fmt: skip
    assert [(row.tag, row.broken, row.mended, row.passes, row.unclear) for row in found.rows] == [
        ("", 1, 1, 1, 1),
        ("hours", 1, 1, 0, 0),
    ]
    assert (found.only_base, found.only_head, found.broken_must_pass) == (("old",), ("new",), ("a",))
    assert found.rows[0].difference == 0
    assert found.rows[0].p_value == 1
