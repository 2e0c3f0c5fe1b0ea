"""Records of one call, in any order, as often as they come: every permutation ends in the same state.

Each field keeps the rank of the record it came from; the greatest rank wins. A rank is the sender's sequence, then the
kind of the record (start < update < end < analysis), then a fingerprint, so that two records never tie by chance.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .records import CallRecord, Event

RANKS = {Event.START: 0, Event.UPDATE: 1, Event.END: 2, Event.ANALYSIS: 3}
SAID_AT_THE_END = ("ended_at", "duration_s", "ended_reason", "evaluation")
NOT_KEPT = frozenset({"id", "sequence", "event"})

Rank = tuple[int, int, str]


@dataclass(frozen=True)
class CallState:
    """What is known of a call: its fields, and the rank of the record that each came from."""

    fields: dict[str, Any]
    ranks: dict[str, Rank]


@dataclass(frozen=True)
class Replaced:
    """A value that a record of a greater rank replaced by another."""

    field: str
    before: Any
    after: Any


EMPTY = CallState({}, {})


def rank_of(record: CallRecord) -> Rank:
    """The record's rank among all of its call."""
    text = record.model_dump_json(exclude_none=True)
    return record.sequence or 0, RANKS[record.kind], hashlib.sha256(text.encode()).hexdigest()[:16]


def merge(
    state: CallState, record: CallRecord, *, without: frozenset[str] = frozenset()
) -> tuple[CallState, list[Replaced]]:
    """The state with one more record, and what it replaced. A record that came before changes nothing.

    Fields in `without` are left out; the record's rank is the same with and without them.
    """
    rank = rank_of(record)
    fields, ranks, replaced = dict(state.fields), dict(state.ranks), []
    for name, value in vars(record).items():
        if name in NOT_KEPT or name in without or value is None:
            continue
        known = ranks.get(name)
        if known is not None and known >= rank:
            if known > rank and fields[name] != value:
                replaced.append(Replaced(name, value, fields[name]))
            continue
        if known is not None and fields[name] != value:
            replaced.append(Replaced(name, fields[name], value))
        fields[name], ranks[name] = value, rank
    return CallState(fields, ranks), replaced


@dataclass(frozen=True)
class Times:
    """When a call was, as far as it is known. `is_start_known` is False while only its end, or nothing, was sent."""

    started_at: datetime
    ended_at: datetime | None
    duration: timedelta | None
    is_start_known: bool


def times_of(state: CallState, received_at: datetime) -> Times:
    """Start, end and length, each from the others where it was not sent."""
    fields = state.fields
    start, end = fields.get("started_at"), fields.get("ended_at")
    seconds = fields.get("duration_s")
    length = timedelta(seconds=seconds) if seconds is not None else None
    is_start_known = start is not None or (end is not None and length is not None)
    if start is None:
        start = end - length if end is not None and length is not None else end or received_at
    if end is None and length is not None and is_start_known:
        end = start + length
    if length is None and end is not None and is_start_known:
        length = max(end - start, timedelta())
    return Times(start, end, length, is_start_known)


def is_over(state: CallState) -> bool:
    """Whether the call has ended: somebody said so, or said what only an ended call has."""
    return state.fields.get("status") == "ended" or any(state.fields.get(name) is not None for name in SAID_AT_THE_END)
