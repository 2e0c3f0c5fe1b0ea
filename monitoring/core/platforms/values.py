"""Reading what others wrote: whatever is missing or of another type than documented is None, never an error."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from monitoring.core.records import EARLIEST, LATEST, LONGEST_CALL

MOST_LINE = 200
MOST_SUMMARY = 20_000
MOST_SAID = 10 * 1024 * 1024
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
Record = dict[str, Any]


def read_json(body: bytes) -> Any:
    """A JSON value in which nothing is that PostgreSQL cannot store. Raises ValueError with a sentence.

    A platform's record is not refused for a character: NUL and half characters become U+FFFD, NaN becomes null.
    """
    try:
        return _storable(json.loads(body, parse_constant=lambda name: None))
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"The body is no JSON ({error}).") from None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {_clean(name): _storable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_storable(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _clean(text: str) -> str:
    return UNSTORABLE.sub("\ufffd", text)


def at(value: Any, *path: str) -> Any:
    """The value at a path of names; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """The object at a path, an empty one where there is none."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: Any, *path: str) -> list[Any]:
    """The list at a path, an empty one where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def text(value: Any, *path: str, most: int = MOST_LINE) -> str | None:
    """The text at a path without blanks around it, cut to `most` characters; None for an empty one."""
    found = at(value, *path)
    return (found.strip()[:most] or None) if isinstance(found, str) else None


def number(value: Any, *path: str) -> float | None:
    """The number at a path, also one that is written as text."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        read = float(found)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def money(value: Any, *path: str, share: int = 1) -> str | None:
    """The amount at a path to a millionth; `share` is 100 for cents."""
    found = number(value, *path)
    return None if found is None or found < 0 else f"{Decimal(repr(found)) / share:.6f}"


def since_1970(value: Any, *path: str, per_second: int = 1) -> str | None:
    """The moment at a path in seconds (or 1,000 per second) since 1970, as ISO time in UTC."""
    found = number(value, *path)
    if found is None or not EARLIEST.timestamp() <= found / per_second <= LATEST.timestamp():
        return None
    return datetime.fromtimestamp(found / per_second, UTC).isoformat()


def moment(value: Any, *path: str) -> str | None:
    """The ISO time at a path; None for one without a zone."""
    found = text(value, *path)
    try:
        read = datetime.fromisoformat(found) if found else None
    except ValueError:
        return None
    return read.isoformat() if read is not None and read.tzinfo is not None else None


def when(seconds: float | None) -> Record:
    """The moment of a turn in seconds from the start, where it can be right."""
    return {"at_s": seconds} if seconds is not None and 0 <= seconds <= LONGEST_CALL.total_seconds() else {}


def parsed(value: Any) -> Any:
    """What a tool was given or gave: JSON inside a text is read."""
    if not isinstance(value, str):
        return value
    try:
        return read_json(value.encode())
    except ValueError:
        return value


def first(*found: Any) -> Any:
    """The first of several that is there."""
    return next((each for each in found if each is not None), None)


def known(record: Record) -> Record:
    """The record without what is not known."""
    return {name: value for name, value in record.items() if value is not None}


def was_engaged(turns: list[Record]) -> bool | None:
    """Whether the caller said anything; None where nobody wrote down what was said."""
    return any(turn["role"] == "user" and turn.get("text") for turn in turns) if turns else None
