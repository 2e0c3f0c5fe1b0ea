"""What the filters of calls and of the audit log share on their pages: chips, and fields for when something was."""

from collections.abc import Callable, Mapping, Sequence

from monitoring.core.call_filter import read_day

SPANS = {"1": "Today", "7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last year"}


def chips(
    pairs: Sequence[tuple[str, str]],
    problems: Sequence[tuple[str, str]],
    *,
    labels: Mapping[str, str],
    words: Mapping[str, Mapping[str, str]],
    without: Callable[[str, str], str],
) -> list[dict[str, str]]:
    """Each condition (its name and value as they stand in the address) in words, with what is wrong with it, and the
    query of the list without it. `words` say values, by the condition's name."""
    wrong = dict(problems)
    return [
        {
            "label": labels[name],
            "value": words.get(name, {}).get(value, value),
            "without": without(name, value),
            "problem": wrong.get(name, ""),
        }
        for name, value in pairs
    ]


def field_kind(text: str) -> str:
    """A field for a day; one for text where the address holds a moment, which a field for days would drop."""
    return "date" if len(text) in {0, len("2026-11-21")} and (not text or read_day(text)) else "text"


def spans_of(days: str) -> list[tuple[str, str]]:
    """The times that can be chosen, with that of the address."""
    also = {days: f"Last {days} days"} if days and days not in SPANS else {}
    return [*SPANS.items(), *also.items()]
