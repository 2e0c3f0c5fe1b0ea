"""The last-known-good store of one instance: a SQLite file with everything that answering needs, for bad days.

Read by every worker while PostgreSQL is away; written by one (`store_keeper`). Every row carries a checksum and every
body its digest, so that a damaged store is refused and never served.
"""

import contextlib
import hashlib
import json
import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .facts import ChannelFacts, RouteFacts, TokenFacts, compile_route

logger = logging.getLogger("channels.runtime")
T = TypeVar("T")

FORMAT = "2"
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channels (
    address TEXT PRIMARY KEY, is_enabled INTEGER NOT NULL, route TEXT NOT NULL, time_zone TEXT NOT NULL,
    sum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS routes (
    digest TEXT PRIMARY KEY, body TEXT NOT NULL, targets TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS route_agents (agent TEXT, route TEXT, PRIMARY KEY (agent, route)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bodies (digest TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY, is_usable INTEGER NOT NULL, scopes TEXT NOT NULL, expires_at REAL, sum BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL, secret BLOB NOT NULL, sum BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS flags (
    key TEXT PRIMARY KEY, number INTEGER NOT NULL, body TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID;
"""


class Damaged(Exception):
    """The store's file or one of its rows is not what was written."""


def damage_mark(path: Path) -> Path:
    """The file by which a reader tells the keeper that the store is to be written anew."""
    return path.with_suffix(".damaged")


def checksum(*values: Any) -> bytes:
    """Eight bytes over the values of a row, in order."""
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def open_store(path: Path) -> sqlite3.Connection:
    """A connection to the store. Raises Damaged when the file is not whole."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
        # SQLite gives its side files the mode of the main one.
        path.chmod(0o600)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise Damaged(str(verdict))
        connection.executescript(SCHEMA)
        return connection
    except (sqlite3.DatabaseError, Damaged) as error:
        if connection is not None:
            connection.close()
        raise Damaged(str(error)) from error


class Store:
    """The reading side. It opens when it is first needed, and stays closed once it was found damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._refused: int | None = None
        self._lock = threading.Lock()

    def is_complete(self) -> bool:
        """Whether a whole copy was written once, so that what is not in it does not exist."""
        return self.meta("complete") == FORMAT

    @property
    def generation(self) -> int:
        """How far PostgreSQL's log was copied; 0 when nothing is known."""
        return int(self.meta("generation") or 0)

    def meta(self, key: str) -> str | None:
        """A value about the store itself; None also when the store is damaged."""

        def read(row: Sequence[Any]) -> str:
            _verify(row[-1], key, row[0])
            return str(row[0])

        with contextlib.suppress(Damaged):
            return self._one("SELECT value, sum FROM meta WHERE key = ?", key, read)
        return None

    def channel(self, address: str) -> ChannelFacts | None:
        """The channel of an address."""

        def read(row: Sequence[Any]) -> ChannelFacts:
            _verify(row[-1], address, row[0], row[1], row[2])
            return ChannelFacts(address, bool(row[0]), row[1], sys.intern(row[2]))

        return self._one("SELECT is_enabled, route, time_zone, sum FROM channels WHERE address = ?", address, read)

    def route(self, digest: str) -> RouteFacts | None:
        """A route with its targets followed."""

        def read(row: Sequence[Any]) -> RouteFacts:
            _verify(row[-1], digest, row[0], row[1])
            return compile_route(digest, row[0], json.loads(row[1]))

        return self._one("SELECT body, targets, sum FROM routes WHERE digest = ?", digest, read)

    def token(self, digest: str) -> TokenFacts | None:
        """What a token may."""

        def read(row: Sequence[Any]) -> TokenFacts:
            _verify(row[-1], digest, row[0], row[1], row[2])
            return TokenFacts(bool(row[0]), tuple(json.loads(row[1])), row[2])

        return self._one("SELECT is_usable, scopes, expires_at, sum FROM tokens WHERE digest = ?", digest, read)

    def body(self, digest: str) -> bytes | None:
        """The canonical bytes of a configuration."""

        def read(row: Sequence[Any]) -> bytes:
            body = row[0] if isinstance(row[0], bytes) else b""
            if hashlib.sha256(body).hexdigest() != digest:
                raise Damaged(f"the configuration {digest[:8]} has other bytes")
            return body

        return self._one("SELECT body FROM bodies WHERE digest = ?", digest, read)

    def keys(self) -> list[tuple[str, bytes]]:
        """The keys that sign resolutions, the newest last."""

        def read(rows: list[Any]) -> list[tuple[str, bytes]]:
            return [(name, bytes(secret)) for name, secret, row_sum in rows if _verify(row_sum, name, bytes(secret))]

        with contextlib.suppress(Damaged):
            return self._ask("SELECT name, secret, sum FROM keys ORDER BY position", (), read) or []
        return []

    def flags(self) -> list[tuple[str, int, str, bool]] | None:
        """The rows of all flags, none archived, as PostgreSQL gives them; None when nothing sound is known."""

        def read(rows: list[Any]) -> list[tuple[str, int, str, bool]]:
            return [
                (key, number, body, False) for key, number, body, row_sum in rows if _verify(row_sum, key, number, body)
            ]

        if not self.is_complete():
            return None
        with contextlib.suppress(Damaged):
            return self._ask("SELECT key, number, body, sum FROM flags", (), read)
        return None

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        with self._lock:
            self._close()

    def _one(self, query: str, key: str, read: Callable[[Sequence[Any]], T]) -> T | None:
        return self._ask(query, (key,), lambda rows: read(rows[0]) if rows else None)

    def _ask(self, query: str, values: tuple[Any, ...], read: Callable[[list[Any]], T | None]) -> T | None:
        with self._lock:
            connection = self._open()
            if connection is None:
                return None
            try:
                return read(connection.execute(query, values).fetchall())
            except (sqlite3.DatabaseError, Damaged, ValueError, TypeError) as error:
                self._refuse(error)
                raise Damaged(str(error)) from error

    def _open(self) -> sqlite3.Connection | None:
        """The open connection, a new one when the keeper put another file in place, None while there is none."""
        try:
            inode = self.path.stat().st_ino
        except OSError:
            return None
        if inode == self._refused:
            return None
        if self._connection is None or inode != self._inode:
            self._close()
            try:
                self._connection, self._inode = open_store(self.path), inode
                self._connection.execute("PRAGMA query_only = ON")
            except Damaged as error:
                self._refuse(error)
        return self._connection

    def _refuse(self, error: Exception) -> None:
        logger.error(
            "The last-known-good store %s is damaged (%s) and is not served. It is written anew once PostgreSQL "
            "answers; until then calls that memory cannot answer get a 503.",
            self.path,
            error,
        )
        with contextlib.suppress(OSError):
            self._refused = self.path.stat().st_ino
            damage_mark(self.path).touch(mode=0o600)
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def _verify(stored: Any, *values: Any) -> bool:
    if checksum(*values) != stored:
        raise Damaged(f"the row of {str(values[0])[:20]} has another checksum")
    return True
