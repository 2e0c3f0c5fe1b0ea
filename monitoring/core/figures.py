"""What one call adds to the figures: counted once when it comes, taken back and counted anew when it is corrected."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

UNATTRIBUTED = 0
"""The agent of a call that nobody could attribute."""
DRAFT = 0
"""The version of a call that the draft handled; None where that is not known."""


@dataclass(frozen=True)
class Outcome:
    """What counts of one call. `sentiment` is -1, 0 or 1; None everywhere means that nobody said."""

    agent: int
    version: int
    variant: str
    is_test: bool
    started_at: datetime
    is_over: bool = False
    duration_ms: int | None = None
    engaged: bool | None = None
    transferred: bool | None = None
    is_error: bool | None = None
    evaluation: str | None = None
    sentiment: int | None = None
    sentiment_score: float | None = None
    latency_ms: float | None = None


def is_automated(call: Any) -> bool:
    """Of an outcome or of a stored call: engaged and over, without a transfer or an error. The agent did it alone."""
    return bool(call.is_over and call.engaged and not call.transferred and not call.is_error)


NAMES = (
    "calls",
    "over",
    "engaged",
    "automated",
    "transferred",
    "errors",
    "succeeded",
    "failed",
    "positive",
    "neutral",
    "negative",
    "timed",
    "duration_ms",
    "duration_ds_squared",
    "latencies",
    "latency_ms",
    "scored",
    "score_milli",
)
"""The sums of the figures, in the order of the columns: whole numbers, so that adding and taking back are exact."""


def sums_of(call: Outcome) -> dict[str, int]:
    """What this call adds to each sum that it touches."""
    found: dict[str, int] = {"calls": 1}
    if call.is_over:
        found["over"] = 1
        # Of calls under way nobody knows yet whether they were engaged.
        if call.engaged:
            found["engaged"] = 1
        if is_automated(call):
            found["automated"] = 1
    if call.transferred:
        found["transferred"] = 1
    if call.is_error:
        found["errors"] = 1
    if call.evaluation is not None:
        found["succeeded" if call.evaluation == "success" else "failed"] = 1
    if call.sentiment is not None:
        found[("negative", "neutral", "positive")[call.sentiment + 1]] = 1
    if call.sentiment_score is not None:
        found["scored"], found["score_milli"] = 1, round(call.sentiment_score * 1000)
    if call.duration_ms is not None:
        found["timed"], found["duration_ms"] = 1, call.duration_ms
        found["duration_ds_squared"] = round(call.duration_ms / 100) ** 2
    if call.latency_ms is not None:
        found["latencies"], found["latency_ms"] = 1, round(call.latency_ms)
    return found


HourKey = tuple[int, datetime, int, str, bool]


def hour_of(call: Outcome) -> HourKey:
    """The row of the hourly figures: agent, hour, version, variant, test."""
    hour = call.started_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return call.agent, hour, call.version, call.variant, call.is_test


def add_up(changes: list[tuple[Outcome | None, Outcome | None]]) -> dict[HourKey, dict[str, int]]:
    """The differences of the hourly figures for calls that changed from one outcome (None: new) to another."""
    totals: dict[HourKey, Counter[str]] = {}
    for before, after in changes:
        for outcome, sign in ((before, -1), (after, 1)):
            if outcome is not None:
                total = totals.setdefault(hour_of(outcome), Counter())
                for name, value in sums_of(outcome).items():
                    total[name] += sign * value
    return {key: dict(total) for key, total in totals.items() if any(total.values())}


def as_word(sentiment: Any) -> tuple[int | None, float | None]:
    """A sentiment as (-1, 0 or 1; score): a score counts for the third it falls into."""
    if sentiment is None:
        return None, None
    if isinstance(sentiment, int | float):
        return (-1 if sentiment < -1 / 3 else 1 if sentiment > 1 / 3 else 0), float(sentiment)
    return {"negative": -1, "neutral": 0, "positive": 1}[str(sentiment)], None
