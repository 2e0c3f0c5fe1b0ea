"""Counts the numbers that callers reached and nothing answered, for the page that shows them."""

import threading
from typing import Any

import psycopg

from . import statements

MOST_NUMBERS = 1000
"""Different numbers kept between two writes; whoever tries out numbers must not fill memory or the table."""


class Misses:
    """Counts per number, written by the listener every few seconds; kept while PostgreSQL is away."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def note(self, number: str, why: str) -> None:
        """One more call that nothing answered."""
        number = "".join(letter if letter.isprintable() else "?" for letter in number[:64])
        with self._lock:
            known = self._counts.get(number)
            if known is not None or len(self._counts) < MOST_NUMBERS:
                self._counts[number] = (why, known[1] + 1 if known else 1)

    def write(self, database: psycopg.Connection[Any]) -> None:
        """Add the counts to the table, in order, so that two workers never wait for each other in a ring."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with database.transaction():
                for number, (why, times) in sorted(counts.items()):
                    database.execute(statements.NOTE_MISSED, [number, why, times])
        except psycopg.Error:
            with self._lock:
                self._counts = counts | self._counts
            raise
