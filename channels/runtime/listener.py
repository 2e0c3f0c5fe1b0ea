"""Follows the log of changes: at every notification, and once a second in any case."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from . import statements
from .database import connect, sever
from .misses import Misses
from .store_keeper import OlderDatabase, refuse_older
from .world import Change, World

logger = logging.getLogger("channels.runtime")

LOOK_EVERY = 1.0
WRITE_MISSES_EVERY = 5.0
READ_AHEAD = 20_000
"""Channels that a worker reads before anybody calls them."""
FORGET_AFTER = 24 * 3600
"""Seconds without a look after which memory is dropped whole rather than trusted to the log."""


class Listener(threading.Thread):
    """One thread per worker, begun after the fork."""

    def __init__(
        self, url: str, world: World, misses: Misses, *, moved: Callable[[], None], listens: bool = True
    ) -> None:
        super().__init__(name="routing-listener", daemon=True)
        self._url = url
        self._world = world
        self._misses = misses
        self._moved = moved
        self._listens = listens
        self._horizon: int | None = None
        self._seen: set[int] = set()
        self._flood = 0
        self._wrote_misses_at = 0.0
        self._has_read_ahead = False
        self._database: psycopg.Connection[Any] | None = None
        self.first_look = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Connect, look, wait for a notification; start again after every failure."""
        said = False
        while not self.stopped.is_set():
            try:
                with connect(self._url, "listener") as database:
                    self._database = database
                    if self._listens:
                        database.execute("LISTEN routing")
                    self._load_keys(database)
                    said = False
                    self._follow(database)
            except (psycopg.Error, OlderDatabase, OSError) as error:
                if not said and not self.stopped.is_set():
                    logger.warning("The log of routing changes cannot be read (%s); answers say stale.", error)
                    said = True
            self.stopped.wait(0.3)

    def stop(self) -> None:
        """End the thread and wait for it."""
        self.stopped.set()
        if self._database is not None:
            sever(self._database)
        self.join()

    def _follow(self, database: psycopg.Connection[Any]) -> None:
        self.look(database)
        if not self._has_read_ahead:
            self._has_read_ahead = True
            self._world.read_ahead(lambda query, values: database.execute(query, values).fetchall(), most=READ_AHEAD)
        while not self.stopped.is_set():
            self.look(database)
            if time.monotonic() - self._wrote_misses_at > WRITE_MISSES_EVERY:
                self._misses.write(database)
                self._wrote_misses_at = time.monotonic()
            for _ in database.notifies(timeout=LOOK_EVERY, stop_after=1):
                pass

    def look(self, database: psycopg.Connection[Any]) -> None:
        """Read what committed since the last look, and drop it from memory. Raises OlderDatabase."""
        started = time.monotonic()
        statement = statements.START if self._horizon is None else statements.POLL
        horizon, generation, rows, count = database.execute(statement, {"horizon": self._horizon}).fetchall()[0]
        known = self._world.store.generation if self._horizon is None else self._world.generation
        refuse_older(generation, known, horizon, self._horizon or 0)
        changes = [(kind, key) for number, kind, key in rows if number not in self._seen]
        # Too much moved to be listed (100,000 numbers at once). Seen again, the same number means nothing new.
        is_flood = count > statements.MOST_LISTED and count != self._flood
        self._flood = count
        is_anew = self._horizon is None or self._world.age > FORGET_AFTER or is_flood
        if is_anew:
            self._world.forget()
        if is_flood or any(kind == "keys" for kind, _ in changes):
            self._load_keys(database)
        self._load_flags(database, changes, whole=is_anew)
        self._world.saw(changes, generation, started)
        self._horizon, self._seen = horizon, {number for number, _, _ in rows}
        self.first_look.set()
        if changes or is_flood:
            self._moved()

    def _load_flags(self, database: psycopg.Connection[Any], changes: list[Change], *, whole: bool) -> None:
        """Before the look counts as done: whoever sees the new generation sees the flags that belong to it."""
        keys = sorted({key for kind, key in changes if kind == "flag"})
        if whole:
            self._world.take_flags(database.execute(statements.ALL_FLAGS), whole=True)
        elif keys:
            self._world.take_flags(database.execute(statements.LOAD_FLAGS, [keys]), whole=False)

    def _load_keys(self, database: psycopg.Connection[Any]) -> None:
        keys = database.execute(statements.LOAD_KEYS).fetchall()
        if not keys:
            database.execute(statements.MAKE_FIRST_KEY, [secrets.token_hex(4), secrets.token_bytes(32)])
            keys = database.execute(statements.LOAD_KEYS).fetchall()
        self._world.keys = {name: bytes(secret) for name, secret in keys}
