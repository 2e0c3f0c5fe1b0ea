"""What one worker knows: channels, routes, bodies and tokens in memory, dropped when the log says that they moved."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from channels.core.flag_sets import FlagInForce, FlagSet

from . import statements
from .database import Database, DatabaseAway
from .facts import ChannelFacts, RouteFacts, TokenFacts, compile_route
from .flag_snapshot import FlagSnapshot, snapshot_of
from .memory import Memory
from .notes import FlagNotes
from .overlays import Overlays
from .store import Damaged, Store

FRESH_FOR = 3.0
"""Seconds after the last look at the log during which memory counts as fresh."""

NOTHING_KNOWN = "The database cannot be reached, and nothing sound is known from before. Try again in a few seconds."


class Sized(Protocol):
    """Something that knows what it costs in memory."""

    @property
    def size(self) -> int: ...


S = TypeVar("S", bound=Sized)
Fetch = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
Change = tuple[str, str]


class Unavailable(Exception):
    """Neither memory, PostgreSQL nor the last-known-good store can say."""


class World:
    """One worker's memory with its two sources: PostgreSQL while it answers, else the last-known-good store."""

    def __init__(self, database: Database, store: Store, *, limit: int) -> None:
        self.database = database
        self.store = store
        # Half for bodies, which are few and large; the rest for what is small and many.
        self.notes = FlagNotes()
        self.bodies: Memory[bytes] = Memory(limit * 4 // 10)
        self.overlays = Overlays(limit // 10, self.body, self.notes)
        self.channels: Memory[ChannelFacts] = Memory(limit * 3 // 10)
        self.routes: Memory[RouteFacts] = Memory(limit * 15 // 100)
        self.tokens: Memory[TokenFacts] = Memory(limit * 5 // 100)
        self.keys: dict[str, bytes] = {}
        self._flags: FlagSnapshot | None = None
        self.generation = 0
        self._epoch = 0
        self._seen_at = float("-inf")
        self._lock = threading.Lock()

    @property
    def memories(self) -> tuple[Memory[Any], ...]:
        """Everything that is kept up to a number of bytes."""
        return (self.channels, self.routes, self.bodies, self.overlays.kept, self.tokens)

    def is_fresh(self) -> bool:
        """Whether the log was read in the last seconds: then nothing here is older than that."""
        return time.monotonic() - self._seen_at < FRESH_FOR

    @property
    def age(self) -> float:
        """Seconds since the log was last read; infinite before the first time."""
        return time.monotonic() - self._seen_at

    def saw(self, changes: Iterable[Change], generation: int, started: float) -> None:
        """Take in what moved; `started` is when the look at the log began (monotonic)."""
        changes = list(changes)
        with self._lock:
            if changes:
                self._epoch += 1
            if not self.is_fresh():
                self._epoch += 1
                for memory in (self.bodies, self.channels, self.routes, self.tokens):
                    memory.drop_from_store()
            self._drop(changes)
            self.generation = max(self.generation, generation)
            self._seen_at = started

    def forget(self) -> None:
        """Drop everything: the log was not read for so long that it may have been cleared."""
        with self._lock:
            self._epoch += 1
            for memory in (self.channels, self.routes, self.tokens):
                memory.clear()

    def _drop(self, changes: Sequence[Change]) -> None:
        agents = {key for kind, key in changes if kind == "agent"}
        if agents:
            self.routes.drop_where(lambda route: not agents.isdisjoint(route.agents))
        for kind, key in changes:
            if kind == "channel":
                self.channels.drop(key)
            elif kind == "token":
                self.tokens.drop(key)
            elif kind == "tokens":
                self.tokens.clear()

    @property
    def flags(self) -> FlagSnapshot:
        """All flags: one value that never changes, so take it once per request. Raises Unavailable."""
        if self._flags is None:
            self._start_flags_from_store()
        if self._flags is None:
            raise Unavailable(NOTHING_KNOWN)
        return self._flags

    def flag(self, key: str) -> FlagInForce | None:
        """The flag of a key with its revision; None when there is none. Raises Unavailable."""
        return self.flags.by_key.get(key)

    def flags_of(self, agent: str) -> FlagSet:
        """The flags of an agent (its slug) with those of all agents, compiled. Raises Unavailable."""
        return self.flags.of(agent)

    def take_flags(self, rows: Iterable[Sequence[Any]], *, whole: bool) -> None:
        """Take in flags as the database or the store has them: all there are, or those that moved."""
        self._flags = snapshot_of(rows, self.notes, None if whole else self._flags)

    def start_from_store(self) -> None:
        """Know what the last-known-good store knows of what is kept whole in memory: keys and flags."""
        self.keys = dict(self.store.keys())
        self._start_flags_from_store()

    def _start_flags_from_store(self) -> None:
        rows = self.store.flags()
        if rows is not None and self._flags is None:
            self.take_flags(rows, whole=True)

    def channel(self, address: str) -> ChannelFacts | None:
        """The channel of an address; None when there is none."""
        return self._find(self.channels, address, statements.LOAD_CHANNELS, _channel, self.store.channel)

    def route(self, digest: str) -> RouteFacts | None:
        """A route with its targets followed."""
        return self._find(self.routes, digest, statements.LOAD_ROUTES, _route, self.store.route)

    def token(self, digest: str) -> TokenFacts:
        """What the token of this SHA-256 may; an unknown one may nothing."""
        found = self._find(self.tokens, digest, statements.LOAD_TOKENS, _token, self.store.token)
        if found is None:
            found = TokenFacts(False, (), None)
            self.tokens.put(digest, found, found.size, is_from_store=not self.is_fresh())
        return found

    def body(self, digest: str) -> bytes:
        """The canonical bytes of a configuration. Raises Unavailable."""
        kept = self.bodies.get(digest)
        if kept is not None:
            return kept
        body: bytes | None = None
        if self.is_fresh():
            try:
                rows = self.database.fetch(statements.LOAD_BODIES, [[digest]])
                body = rows[0][1].encode() if rows else None
            except DatabaseAway:
                pass
        if body is None:
            with contextlib.suppress(Damaged):
                body = self.store.body(digest)
        if body is None:
            raise Unavailable("This configuration cannot be read at the moment. Try again in a few seconds.")
        self.bodies.put(digest, body, len(body) + 200)
        return body

    def read_ahead(self, fetch: Fetch, *, most: int, step: int = 1000) -> None:
        """Fill memory with the first channels and their routes, so that a restart does not begin cold.

        What moved while a step was read is left out: the first call to it reads it anew.
        """
        address, read = "", 0
        while read < most:
            epoch = self._epoch
            rows = fetch(statements.NEXT_CHANNELS, [address, step])
            routes = {row[2] for row in rows if self.routes.get(row[2]) is None}
            compiled = [_route(row) for row in fetch(statements.LOAD_ROUTES, [sorted(routes)])] if routes else []
            with self._lock:
                if self._epoch == epoch:
                    for route in compiled:
                        self.routes.put(route.digest, route, route.size)
                    for row in rows:
                        channel = _channel(row)
                        self.channels.put(channel.address, channel, channel.size)
            if len(rows) < step:
                return
            address, read = rows[-1][0], read + len(rows)

    def _find(
        self,
        memory: Memory[S],
        key: str,
        statement: str,
        read: Callable[[Sequence[Any]], S],
        from_store: Callable[[str], S | None],
    ) -> S | None:
        kept = memory.get(key)
        if kept is not None:
            return kept
        if self.is_fresh():
            epoch = self._epoch
            try:
                rows = self.database.fetch(statement, [[key]])
            except DatabaseAway:
                pass
            else:
                if not rows:
                    return None
                value = read(rows[0])
                with self._lock:
                    if self._epoch == epoch:  # else something moved while we read: this value may be the one before
                        memory.put(key, value, value.size)
                return value
        if not self.store.is_complete():
            raise Unavailable(NOTHING_KNOWN)
        try:
            stored = from_store(key)
        except Damaged as error:
            raise Unavailable(NOTHING_KNOWN) from error
        if stored is not None:
            memory.put(key, stored, stored.size, is_from_store=True)
        return stored


def _channel(row: Sequence[Any]) -> ChannelFacts:
    return ChannelFacts(row[0], row[1], row[2], sys.intern(row[3]))


def _route(row: Sequence[Any]) -> RouteFacts:
    return compile_route(row[0], row[1], row[2] or [])


def _token(row: Sequence[Any]) -> TokenFacts:
    return TokenFacts(row[1], tuple(row[2]), row[3])
