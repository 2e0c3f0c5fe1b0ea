"""What one call adds to the sums of its hour."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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
    channel: str = ""
    ended_reason: str = ""
    cost: Decimal | None = None
    currency: str = ""


def version_words(version: int | None) -> str:
    """`V7`, `Draft`, or nothing where it is not known."""
    return "" if version is None else f"V{version}" if version else "Draft"


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


def sums_of(call: Outcome) -> tuple[int, ...]:
    """What this call adds to each of `NAMES`."""
    length, score, latency = call.duration_ms, call.sentiment_score, call.latency_ms
    return (
        1,
        int(call.is_over),
        # Of calls under way nobody knows yet whether they were engaged.
        int(bool(call.is_over and call.engaged)),
        int(is_automated(call)),
        int(bool(call.transferred)),
        int(bool(call.is_error)),
        int(call.evaluation == "success"),
        int(call.evaluation == "fail"),
        int(call.sentiment == 1),
        int(call.sentiment == 0),
        int(call.sentiment == -1),
        int(length is not None),
        length or 0,
        round((length or 0) / 100) ** 2,
        int(latency is not None),
        round(latency or 0),
        int(score is not None),
        round((score or 0) * 1000),
    )


def as_word(sentiment: Any) -> tuple[int | None, float | None]:
    """A sentiment as (-1, 0 or 1; score): a score counts for the third it falls into."""
    if sentiment is None:
        return None, None
    if isinstance(sentiment, int | float):
        return (-1 if sentiment < -1 / 3 else 1 if sentiment > 1 / 3 else 0), float(sentiment)
    return {"negative": -1, "neutral": 0, "positive": 1}[str(sentiment)], None
