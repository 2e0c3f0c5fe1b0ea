"""Where a page of calls (or of the audit log) begins, and which calls it shows, as addresses write it."""

from datetime import datetime
from typing import NamedTuple


class PageKey(NamedTuple):
    """The row beside which a page goes on: its moment and its number; keys sort as the list does."""

    started_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.started_at.isoformat()},{self.id}"


def read_key(text: str) -> PageKey | None:
    """The key of an address; None for anything that is none."""
    moment, _, number = text.rpartition(",")
    try:
        # A plus that nobody escaped arrives as a space.
        key = PageKey(datetime.fromisoformat(moment.replace(" ", "+")), int(number[:19]))
    except ValueError:
        return None
    return key if key.started_at.tzinfo is not None and 2000 <= key.started_at.year < 2200 else None


def read_ids(text: str, *, most: int) -> frozenset[int]:
    """The calls of an address, `12,15,20`; whatever is no number, or beyond so many, is left out."""
    found = (each for each in text.split(",")[:most] if each.isascii() and each.isdecimal() and len(each) < 19)
    return frozenset(int(each) for each in found)
