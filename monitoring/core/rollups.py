"""The figures as tables of sums: which rows a call counts in, and what it adds there.

A call is counted once when it comes; when it is corrected, what it added is taken back and it is counted anew.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from .figures import NAMES, Outcome, is_automated, sums_of
from .histogram import bucket_of

Entry = tuple[tuple[Any, ...], tuple[int, ...]]
"""The key of a row, and what a call adds to it."""


@dataclass(frozen=True)
class Rollup:
    """A table of sums. `keys` are its columns with their PostgreSQL types; every key begins with the agent."""

    name: str
    keys: dict[str, str]
    sums: tuple[str, ...]
    entries: Callable[[Outcome], Iterable[Entry]]

    @property
    def table(self) -> str:
        """Its name in the database."""
        return f"monitoring_{self.name}figures"


def _of_hour(call: Outcome) -> Iterator[Entry]:
    yield (call.agent, hour_of(call.started_at), call.version, call.variant, call.is_test), sums_of(call)


def _of_day(call: Outcome) -> Iterator[Entry]:
    yield (call.agent, day_of(call.started_at), call.version, call.is_test), sums_of(call)


def _of_cost(call: Outcome) -> Iterator[Entry]:
    if call.cost is not None:
        key = (call.agent, day_of(call.started_at), call.version, call.is_test, call.currency)
        yield key, (1, int(call.cost * 1_000_000))


def _of_duration(call: Outcome) -> Iterator[Entry]:
    if call.duration_ms is not None:
        day = day_of(call.started_at)
        part, place = divmod(bucket_of(call.duration_ms), PART)
        yield (call.agent, DAY, day, call.version, call.is_test, part), _ONE[place]
        yield (call.agent, MONTH, day.replace(day=1), call.version, call.is_test, part), _ONE[place]


def _of_channel(call: Outcome) -> Iterator[Entry]:
    if call.channel:
        said = (call.is_over, call.is_over and call.engaged, is_automated(call), call.transferred, call.is_error)
        key = (call.agent, day_of(call.started_at), call.channel, call.version, call.is_test)
        yield key, (1, *(int(bool(each)) for each in said))


def _of_reason(call: Outcome) -> Iterator[Entry]:
    if call.ended_reason:
        yield (call.agent, day_of(call.started_at), call.version, call.is_test, call.ended_reason), (1,)


def hour_of(moment: datetime) -> datetime:
    """The hour (UTC) that a moment is in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> date:
    """The day (UTC) that a moment is in."""
    return moment.astimezone(UTC).date()


DAY, MONTH = "d", "m"
"""The spans of durations: long ranges are made of months and of the days at their edges."""
PART = 32
"""Buckets of a histogram in one row: few rows to read, and few columns that do not change."""
_ONE = tuple(tuple(int(place == at) for at in range(PART)) for place in range(PART))
_HOUR = {"agent_id": "int", "hour": "timestamptz", "version": "int", "variant": "varchar", "is_test": "bool"}
_DAY = {"agent_id": "int", "day": "date"}
HOUR = Rollup("hour", _HOUR, NAMES, _of_hour)
DAILY = Rollup("day", {**_DAY, "version": "int", "is_test": "bool"}, NAMES, _of_day)
COST = Rollup(
    "cost",
    {**_DAY, "version": "int", "is_test": "bool", "currency": "varchar"},
    ("calls", "cost_micro"),
    _of_cost,
)
DURATION = Rollup(
    "duration",
    {"agent_id": "int", "span": "varchar", "start": "date", "version": "int", "is_test": "bool", "part": "smallint"},
    tuple(f"b{place}" for place in range(PART)),
    _of_duration,
)
CHANNEL = Rollup(
    "channel",
    {**_DAY, "channel": "varchar", "version": "int", "is_test": "bool"},
    ("calls", "over", "engaged", "automated", "transferred", "errors"),
    _of_channel,
)
REASON = Rollup("reason", {**_DAY, "version": "int", "is_test": "bool", "reason": "varchar"}, ("calls",), _of_reason)
ROLLUPS = (HOUR, DAILY, COST, DURATION, CHANNEL, REASON)


def add_up(
    rollup: Rollup, changes: Iterable[tuple[Outcome | None, Outcome | None]]
) -> dict[tuple[Any, ...], list[int]]:
    """The differences of a rollup's rows for calls that changed from one outcome (None: new) to another."""
    totals: dict[tuple[Any, ...], list[int]] = {}
    for before, after in changes:
        for outcome, sign in ((before, -1), (after, 1)):
            if outcome is None:
                continue
            for key, sums in rollup.entries(outcome):
                total = totals.get(key)
                if total is None:
                    totals[key] = [sign * value for value in sums]
                else:
                    totals[key] = [kept + sign * value for kept, value in zip(total, sums, strict=True)]
    return {key: sums for key, sums in totals.items() if any(sums)}
