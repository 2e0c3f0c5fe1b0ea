"""Ships the lines of `routed` to PostgreSQL: one process of an instance does it, another takes over when it ends."""

import contextlib
import fcntl
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import psycopg

from . import statements
from .database import connect, sever
from .routed import Line, RoutedSpool, read_line

logger = logging.getLogger("channels.runtime")

SHIP_EVERY = 1.0
LOCK = "shipper.lock"


class RoutedShipper(threading.Thread):
    """One thread per worker: lets go of the worker's segment every second, and ships all that nobody writes to while
    this process holds the instance's lock."""

    def __init__(self, url: str, spool: RoutedSpool) -> None:
        super().__init__(name="routed-shipper", daemon=True)
        self._url = url
        self._spool = spool
        self._held: IO[str] | None = None
        self._database: psycopg.Connection[Any] | None = None
        self.stopped = threading.Event()

    def run(self) -> None:
        """Ship, wait, start again after every failure."""
        said = ""
        while not self.stopped.is_set():
            try:
                self._spool.turn()
                if self._is_the_one():
                    self._ship_all()
                said = ""
            except (psycopg.Error, OSError) as error:
                if type(error).__name__ != said and not self.stopped.is_set():
                    logger.warning("Decisions of rollouts wait on this machine: %s", error)
                said = type(error).__name__
                self._disconnect()
            self.stopped.wait(SHIP_EVERY)

    def stop(self) -> None:
        """End the thread, wait for it, and let another process ship."""
        self.stopped.set()
        if self._database is not None:
            sever(self._database)
        self.join()
        self._disconnect()
        self._spool.close()
        if self._held is not None:
            self._held.close()

    def _is_the_one(self) -> bool:
        """Whether this process ships for the instance; the lock ends with its process, however that ends."""
        if self._held is not None:
            return True
        if not self._spool.segments():
            return False
        lock = (self._spool.folder / LOCK).open("a", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._held = lock
        return True

    def _ship_all(self) -> None:
        for path in self._spool.segments():
            if self.stopped.is_set():
                return
            with self._spool.taken(path) as lines:
                if lines is not None:
                    self._ship(path, lines)

    def _ship(self, path: Path, lines: Sequence[bytes]) -> None:
        """Bring one segment to PostgreSQL and remove it. Killed between the two, it is shipped again: a call counts
        once, however often it comes."""
        found = [line for line in map(read_line, lines) if line is not None]
        if len(found) < len(lines):
            words = "%d of %d decisions in %s cannot be read (a crash tears a line) and are left out."
            logger.warning(words, len(lines) - len(found), len(lines), path.name)
        try:
            if found:
                ship(self._connected(), found)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            logger.error("PostgreSQL refuses %s, kept as %s: %s", path.name, self._spool.set_aside(path).name, error)
        else:
            path.unlink()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._database is None or self._database.closed:
            self._database = connect(self._url, "routed calls")
        return self._database

    def _disconnect(self) -> None:
        if self._database is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                self._database.close()
        self._database = None


def ship(database: psycopg.Connection[Any], lines: Sequence[Line]) -> None:
    """Add decisions that are not there yet; those of a rollout that this database does not know are left out."""
    rollouts, calls, callers, arms, shares, buckets, channels, moments = (
        list(each) for each in zip(*lines, strict=True)
    )
    hashes = [None if each is None else bytes.fromhex(each) for each in callers]
    database.execute(statements.SHIP_ROUTED, [rollouts, calls, hashes, arms, shares, buckets, channels, moments])
