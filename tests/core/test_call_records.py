"""Call records: what is refused with which words, and that every order of records ends in the same state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.core.merging import EMPTY, CallState, is_over, merge, times_of
from monitoring.core.records import BadRecord, CallRecord, Event, read_record

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "is a JSON object"),
        ({}, "“id” is missing"),
        ({"id": ""}, "“id”: "),
        ({"id": "a", "colour": 1}, "“colour” is not known here"),
        ({"id": "a", "started_at": "2026-11-01T12:00:00"}, "“started_at”: Input should have timezone info"),
        ({"id": "a", "started_at": "1970-01-01T00:00:00Z"}, "not between the years"),
        ({"id": "a", "duration_s": -1}, "“duration_s”: "),
        ({"id": "a", "duration_s": 31_536_000}, "“duration_s”: "),
        ({"id": "a", "started_at": "2026-11-01T12:00:00Z", "ended_at": "2026-11-01T11:00:00Z"}, "before “started_at”"),
        ({"id": "a", "started_at": "2026-11-01T12:00:00Z", "ended_at": "2027-11-01T11:00:00Z"}, "two days"),
        ({"id": "a", "sentiment": "furious"}, "“sentiment"),
        ({"id": "a", "sentiment": 7}, "“sentiment"),
        ({"id": "a", "cost": "0.2"}, "needs its “currency”"),
        ({"id": "a", "recording": "javascript:alert(1)"}, "“recording”: "),
        ({"id": "a", "summary": "x\x00"}, "cannot be stored"),
        ({"id": "a", "transcript": [{"role": "user", "text": "x" * (10 * 1024 * 1024 + 1)}]}, "longer than 10 MB"),
    ],
)
def test_a_bad_record_is_refused_with_its_field(document: Any, words: str) -> None:
    with pytest.raises(BadRecord, match=words):
        read_record(document)


def test_a_record_tells_what_it_is() -> None:
    kinds = {
        Event.START: {"started_at": AT},
        Event.END: {"started_at": AT, "ended_at": AT},
        Event.ANALYSIS: {"evaluation": "success"},
        Event.UPDATE: {"caller": "+33612345678"},
    }
    for kind, fields in kinds.items():
        assert read_record({"id": "a", **fields}).kind == kind
    assert read_record({"id": "a", "sentiment": " Positive "}).sentiment == "positive"
    assert read_record({"id": "a", "sentiment": -0.4}).sentiment == -0.4


RECORDS = st.lists(
    st.builds(
        CallRecord,
        id=st.just("a"),
        sequence=st.none() | st.integers(0, 3),
        event=st.none() | st.sampled_from(Event),
        started_at=st.none() | st.integers(0, 3).map(lambda minutes: AT + timedelta(minutes=minutes)),
        duration_s=st.none() | st.integers(0, 3).map(float),
        evaluation=st.none() | st.sampled_from(["success", "fail"]),
        error=st.none() | st.booleans(),
        summary=st.none() | st.sampled_from(["short", "long"]),
    ),
    max_size=6,
)


def merged(records: list[CallRecord]) -> CallState:
    state = EMPTY
    for record in records:
        state, _ = merge(state, record)
    return state


@settings(max_examples=300)
@given(RECORDS, st.randoms(use_true_random=False))
def test_every_order_and_every_repetition_ends_in_the_same_state(records: list[CallRecord], random: Any) -> None:
    shuffled = [*records, *records[:2]]
    random.shuffle(shuffled)
    assert merged(shuffled) == merged(records)


def test_the_senders_sequence_wins_and_what_was_replaced_is_told() -> None:
    late, early = (
        read_record({"id": "a", "sequence": at, "evaluation": said}) for at, said in ((2, "fail"), (1, "success"))
    )
    state, _ = merge(EMPTY, late)
    state, replaced = merge(state, early)
    assert state.fields["evaluation"] == "fail"
    assert [(each.field, each.before, each.after) for each in replaced] == [("evaluation", "success", "fail")]


@pytest.mark.parametrize(
    ("fields", "start", "end", "seconds", "is_known"),
    [
        ({}, AT, None, None, False),
        ({"started_at": AT - timedelta(minutes=5)}, AT - timedelta(minutes=5), None, None, True),
        ({"ended_at": AT}, AT, AT, None, False),
        ({"ended_at": AT, "duration_s": 60}, AT - timedelta(minutes=1), AT, 60, True),
        ({"started_at": AT, "duration_s": 60}, AT, AT + timedelta(minutes=1), 60, True),
        ({"started_at": AT, "ended_at": AT + timedelta(seconds=9)}, AT, AT + timedelta(seconds=9), 9, True),
    ],
)
def test_times_follow_from_one_another(
    fields: dict[str, Any], start: datetime, end: datetime | None, seconds: float | None, is_known: bool
) -> None:
    state = merged([read_record({"id": "a", **fields})])
    times = times_of(state, AT)
    assert (times.started_at, times.ended_at, times.is_start_known) == (start, end, is_known)
    assert times.duration == (timedelta(seconds=seconds) if seconds is not None else None)
    assert is_over(state) == (end is not None)
