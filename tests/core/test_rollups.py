"""What a call adds to each table of figures, and that taking back leaves nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitoring.core.figures import NAMES, Outcome
from monitoring.core.histogram import bucket_of, percentile
from monitoring.core.rollups import CHANNEL, COST, DURATION, HOUR, REASON, ROLLUPS, add_up

CALL = Outcome(
    agent=3,
    version=7,
    variant="warm",
    is_test=False,
    started_at=datetime(2026, 10, 31, 23, 45, tzinfo=UTC),
    is_over=True,
    duration_ms=61_260,
    engaged=True,
    transferred=False,
    is_error=False,
    evaluation="success",
    sentiment=1,
    sentiment_score=0.5,
    latency_ms=350.5,
    channel="+33123456789",
    ended_reason="caller hung up",
    cost=Decimal("0.25"),
    currency="EUR",
)


def test_a_call_counts_in_its_hour() -> None:
    ((key, sums),) = add_up(HOUR, [(None, CALL)]).items()
    assert key == (3, datetime(2026, 10, 31, 23, tzinfo=UTC), 7, "warm", False)
    said = {name: value for name, value in zip(NAMES, sums, strict=True) if value}
    assert said == {
        "calls": 1,
        "over": 1,
        "engaged": 1,
        "automated": 1,
        "succeeded": 1,
        "positive": 1,
        "timed": 1,
        "duration_ms": 61_260,
        "duration_ds_squared": 613**2,
        "latencies": 1,
        "latency_ms": 350,
        "scored": 1,
        "score_milli": 500,
    }


def test_a_duration_counts_in_its_day_and_in_its_month() -> None:
    spans = [(key[1], str(key[2])) for key in add_up(DURATION, [(None, CALL)])]
    assert spans == [("d", "2026-10-31"), ("m", "2026-10-01")]


def test_a_call_counts_for_its_channel_its_reason_and_its_cost() -> None:
    assert list(add_up(CHANNEL, [(None, CALL)]).values()) == [[1, 1, 1, 1, 0, 0]]
    assert [key[-1] for key in add_up(REASON, [(None, CALL)])] == ["caller hung up"]
    assert list(add_up(COST, [(None, CALL)]).values()) == [[1, 250_000]]


def test_a_call_of_which_little_is_known_counts_where_it_can() -> None:
    little = Outcome(agent=0, version=-1, variant="", is_test=True, started_at=CALL.started_at)
    assert [rollup.name for rollup in ROLLUPS if add_up(rollup, [(None, little)])] == ["hour", "day"]


def test_what_is_taken_back_leaves_nothing() -> None:
    for rollup in ROLLUPS:
        assert add_up(rollup, [(None, CALL), (CALL, None)]) == {}
        assert add_up(rollup, [(CALL, CALL)]) == {}


def test_a_corrected_call_moves() -> None:
    moved = replace(CALL, version=8)
    assert {key[2]: sums[0] for key, sums in add_up(HOUR, [(CALL, moved)]).items()} == {7: -1, 8: 1}


def test_buckets_err_by_one_per_cent_at_most() -> None:
    for milliseconds in (10, 61_500, 145_000, 3_600_000):
        assert percentile({bucket_of(milliseconds): 1}, 0.5) == pytest.approx(milliseconds, rel=0.011)
    assert percentile({}, 0.5) is None
