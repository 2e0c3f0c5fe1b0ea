"""The columns of the list of calls: in one order for everybody; when a call began is always shown, and opens it."""

from collections.abc import Iterable

COLUMNS = {
    "caller": "Caller",
    "number": "Number",
    "direction": "Direction",
    "agent": "Agent",
    "version": "Version",
    "duration": "Duration",
    "outcome": "Outcome",
    "sentiment": "Sentiment",
    "ended": "Ended",
    "error": "Error",
    "latency": "Latency",
    "cost": "Cost",
    "known": "How we know",
    "id": "Call id",
}
USUAL = ("caller", "number", "agent", "version", "duration", "outcome", "sentiment", "ended")
"""What somebody sees who never chose."""


def in_order(chosen: Iterable[str]) -> list[str]:
    """The known ones among these, in their order."""
    wanted = set(chosen)
    return [name for name in COLUMNS if name in wanted]
