"""Buckets: even, independent between tests, stable for a caller; a changed share moves exactly that share."""

import hashlib
import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.core.bucketing import BUCKETS, Range, allocate, bucket_of, size, threshold_of
from channels.core.phone_numbers import read_caller
from channels.core.routes import Target, WantedVariant, read_route, split, write_route
from channels.core.routing import choose

VECTORS = json.loads(Path(__file__).with_name("bucket_vectors.json").read_text(encoding="utf-8"))


def numbers(count: int) -> list[str]:
    return [f"+336{number:08d}" for number in range(count)]


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Wilson and Hilferty's approximation: right to three digits for 99 degrees of freedom."""
    z = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / math.sqrt(2 / (9 * degrees))
    return 0.5 * math.erfc(z / math.sqrt(2))


def test_r1_consecutive_numbers_fall_evenly_whatever_the_salt() -> None:
    callers = [f":+336{number:08d}".encode() for number in range(50_000)]
    low = 0
    for salt in range(200):
        prefix = hashlib.sha256(f"salt-{salt}".encode())
        counts = [0] * 100
        for caller in callers:
            hashed = prefix.copy()
            hashed.update(caller)
            counts[int.from_bytes(hashed.digest()[:8], "big") * 100 >> 64] += 1
        low += chi_square_tail(sum((count - 500) ** 2 / 500 for count in counts), 99) < 0.01
    assert low <= 0.04 * 200


def test_the_fast_way_of_the_test_above_is_the_rule() -> None:
    hashed = hashlib.sha256(b"salt-7")
    hashed.update(b":+33600000042")
    bucket = bucket_of("salt-7", "+33600000042")
    assert int.from_bytes(hashed.digest()[:8], "big") * BUCKETS >> 64 == bucket
    assert int.from_bytes(hashed.digest()[:8], "big") * 100 >> 64 == bucket // 1000


def test_r2_a_growing_share_never_lets_a_caller_go() -> None:
    callers = numbers(5_000)
    inside: set[str] = set()
    ranges: dict[str, list[Range]] = {}
    for share in (1_000, 5_000, 10_000, 25_000, 50_000, 100_000):
        ranges = allocate(ranges, {"canary": share, "stable": BUCKETS - share})
        now = {
            caller
            for caller in callers
            if any(start <= bucket_of("s", caller) < stop for start, stop in ranges["canary"])
        }
        assert inside <= now
        inside = now
    assert inside == set(callers)


@st.composite
def shares(draw: st.DrawFn) -> dict[str, int]:
    """Shares of one to six variants that add up."""
    names = draw(st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=6, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, BUCKETS), min_size=len(names) - 1, max_size=len(names) - 1)))
    return {name: stop - start for name, start, stop in zip(names, [0, *cuts], [*cuts, BUCKETS], strict=True)}


@given(st.lists(shares(), min_size=2, max_size=6))
@settings(deadline=None)
def test_r2_changed_weights_move_exactly_the_changed_share(history: list[dict[str, int]]) -> None:
    ranges = allocate({}, history[0])
    for before, after in pairwise(history):
        moved = allocate(ranges, after)
        assert {name: size(held) for name, held in moved.items()} == after
        grown = sum(max(0, share - before.get(name, 0)) for name, share in after.items())
        stayed = sum(overlap(ranges.get(name, []), held) for name, held in moved.items())
        assert BUCKETS - stayed == grown
        flat = sorted(pair for held in moved.values() for pair in held)
        assert [0, *(stop for _, stop in flat)] == [*(start for start, _ in flat), BUCKETS]
        ranges = moved


def overlap(left: list[Range], right: list[Range]) -> int:
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in left for b in right)


def test_r3_two_tests_split_independently() -> None:
    callers = numbers(200_000)
    in_a = [bucket_of("first", caller) < 10_000 for caller in callers]
    in_b = [bucket_of("second", caller) < 10_000 for caller in callers]
    both = sum(a and b for a, b in zip(in_a, in_b, strict=True))
    assert abs(both / sum(in_a) - sum(in_b) / len(callers)) < 0.005


@pytest.mark.parametrize("share", [100, 1_000, 10_000])
def test_r4_the_realised_share_is_within_three_standard_errors(share: int) -> None:
    callers = numbers(200_000)
    expected = share / BUCKETS
    found = sum(bucket_of("r4", caller) < share for caller in callers) / len(callers)
    assert abs(found - expected) <= 3 * math.sqrt(expected * (1 - expected) / len(callers))


@given(st.integers(0, BUCKETS - 1), st.text(max_size=5), st.text(max_size=5))
def test_the_fast_way_below_a_share_is_the_bucket_below_it(share: int, salt: str, unit: str) -> None:
    is_below = hashlib.sha256(f"{salt}:{unit}".encode("utf-8", "surrogatepass")).digest() < threshold_of(share)
    assert is_below == (bucket_of(salt, unit) < share)


@given(st.integers(0, BUCKETS - 1))
def test_the_threshold_is_exact_at_the_edge_of_every_bucket(share: int) -> None:
    edge = int.from_bytes(threshold_of(share), "big")
    assert edge * BUCKETS >> 64 >= share
    assert share == 0 or (edge - 1) * BUCKETS >> 64 < share


def test_r5_golden_vectors() -> None:
    """Computed once by sha256sum and bc: see the file's `how`."""
    assert len(VECTORS["vectors"]) >= 8
    for vector in VECTORS["vectors"]:
        assert bucket_of(vector["salt"], vector["unit"]) == vector["bucket"], vector


@pytest.mark.parametrize(
    "way",
    [
        "+33612345678",
        "+33 6 12 34 56 78",
        "0033 6 12 34 56 78",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "(06) 12345678",
        "+33 (0)6 12 34 56 78",
        "tel:+33-6-12-34-56-78",
        "sip:+33612345678@sbc.example.com",
        "sip:0612345678@10.0.0.1;user=phone",
        " +33612345678 ",
    ],
)
def test_r5_every_way_of_writing_a_number_is_one_caller(way: str) -> None:
    assert read_caller(way, "FR").unit == "+33612345678"


def test_a_plan_written_and_read_decides_alike() -> None:
    plan = split(
        [WantedVariant("A", Target("a"), 33_333), WantedVariant("B", Target("b"), 66_667)], salt="salt of the test"
    )
    again = read_route(write_route(plan))
    assert [choose(plan, caller) for caller in numbers(500)] == [choose(again, caller) for caller in numbers(500)]


@pytest.mark.parametrize("wrong", [{"A": 99_999}, {"A": 100_001}, {"A": -1, "B": 100_001}, {}])
def test_shares_that_do_not_add_up_are_no_plan(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="add up"):
        allocate({}, wrong)
