"""What flags could not do: counted for /readyz, and said in the log at most once a minute."""

import logging
import time

logger = logging.getLogger("channels.runtime")

SAY_EVERY = 60.0
"""Seconds between two lines in the log."""


class FlagNotes:
    """Counts what was skipped. Two threads may lose a count between them; nothing waits for it."""

    def __init__(self) -> None:
        self.count = 0
        self._said_at = float("-inf")
        self._said_count = 0

    def note(self, flag: str, words: str) -> None:
        """A flag was skipped for one call, or altogether; `words` says why."""
        self.count += 1
        now = time.monotonic()
        if now - self._said_at < SAY_EVERY:
            return
        more = self.count - self._said_count - 1
        self._said_at, self._said_count = now, self.count
        logger.warning("The flag “%s” was skipped: %s (%d more since the last line).", flag, words, more)
