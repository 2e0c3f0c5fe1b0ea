"""Writes the last-known-good store: a whole copy once, then what moved. One process of an instance holds its lock."""

import fcntl
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import psycopg

from . import statements
from .database import connect
from .store import FORMAT, SCHEMA, Damaged, checksum, damage_mark, open_store

logger = logging.getLogger("channels.runtime")

COPY_ANEW_AFTER = 6 * 24 * 3600
"""Seconds without a look at the log after which everything is copied anew: the log is kept for seven days."""
CLEAR_EVERY = 3600
NOTE_EVERY = 60
"""Seconds between two notes that nothing moved."""
BATCH = 2000


class OlderDatabase(Exception):
    """PostgreSQL knows less than the store: an empty or older database never replaces what is known."""


class StoreKeeper(threading.Thread):
    """Keeps the store up to date while this process holds its lock; otherwise waits to take over."""

    def __init__(self, url: str, path: Path) -> None:
        super().__init__(name="store-keeper", daemon=True)
        self._url = url
        self._path = path
        self._cleared_at = 0.0
        self.moved = threading.Event()
        self.stopped = threading.Event()

    def stop(self) -> None:
        """End the thread, wait for it, and let another process keep the store."""
        self.stopped.set()
        self.moved.set()
        self.join()

    def run(self) -> None:
        """Hold the lock, follow the log, start again after every failure."""
        said = ""
        while not self.stopped.is_set():
            said = self._try(said)
            self.stopped.wait(1)

    def _try(self, said: str) -> str:
        """Keep the store until something fails; gives what failed, so that the log says it once."""
        try:
            with self._path.with_suffix(".lock").open("a", encoding="utf-8") as lock:
                if not _holds(lock):
                    return said
                self._follow()
        except (psycopg.Error, sqlite3.Error, OlderDatabase, Damaged, OSError) as error:
            if type(error).__name__ != said:
                logger.warning("The last-known-good store waits: %s", error)
            return type(error).__name__
        return ""

    def _follow(self) -> None:
        store = self._open()
        try:
            with connect(self._url, "store") as database:
                while not self.stopped.is_set():
                    if damage_mark(self._path).exists():
                        raise Damaged("a reader found a row that was not written so")
                    bring_up_to_date(database, store)
                    if time.monotonic() - self._cleared_at > CLEAR_EVERY:
                        database.execute(statements.CLEAR_OLD_CHANGES)
                        drop_unused(store)
                        self._cleared_at = time.monotonic()
                    self.moved.wait(1)
                    self.moved.clear()
        finally:
            store.close()

    def _open(self) -> sqlite3.Connection:
        """The store; one that is damaged is put aside and begun anew."""
        mark = damage_mark(self._path)
        try:
            if not mark.exists():
                return open_store(self._path)
        except Damaged as error:
            logger.error("The last-known-good store is damaged: %s.", error)
        aside = self._path.with_suffix(f".damaged-{time.time_ns()}")
        logger.warning("The last-known-good store is written anew; the damaged one is kept as %s.", aside.name)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._path.rename(aside)
        mark.unlink(missing_ok=True)
        return open_store(self._path)


def _holds(lock: IO[str]) -> bool:
    """Take the lock, unless another process has it; it ends with its process, however that ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def bring_up_to_date(database: psycopg.Connection[Any], store: sqlite3.Connection) -> None:
    """Copy what moved since the store's horizon, or everything. Raises OlderDatabase."""
    meta = dict(store.execute("SELECT key, value FROM meta"))
    known = int(meta.get("generation", 0))
    is_recent = time.time() - float(meta.get("seen_at", 0)) < COPY_ANEW_AFTER
    if meta.get("complete") != FORMAT or not is_recent:
        _copy_everything(database, store, known)
        return
    rows = database.execute(statements.POLL, {"horizon": int(meta["horizon"])}).fetchall()
    horizon, generation, changes, count = rows[0]
    refuse_older(generation, known, horizon, int(meta["horizon"]))
    if count > statements.MOST_LISTED:
        _copy_everything(database, store, known)
        return
    seen = set(json.loads(meta["seen"]))
    fresh = [(kind, key) for number, kind, key in changes if number not in seen]
    if not fresh and time.time() - float(meta["seen_at"]) < NOTE_EVERY:
        return
    store.execute("BEGIN IMMEDIATE")
    try:
        _copy_moved(database, store, fresh)
        _note(store, horizon, generation, [number for number, _, _ in changes])
    except BaseException:
        store.execute("ROLLBACK")
        raise
    store.execute("COMMIT")


def refuse_older(generation: int, known: int, horizon: int, known_horizon: int) -> None:
    """Raise OlderDatabase when PostgreSQL stands before what is known."""
    if generation < known or horizon < known_horizon:
        raise OlderDatabase(
            f"PostgreSQL is at generation {generation}, the store at {known}: a backup was restored, or this is "
            "another database. Delete the store if that is meant (docs/operations.md)."
        )


def _copy_everything(database: psycopg.Connection[Any], store: sqlite3.Connection, known: int) -> None:
    """One snapshot of PostgreSQL, one transaction of the store: readers see the old copy until the new one is whole."""
    started = time.monotonic()
    with database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        horizon, generation, *_ = database.execute(statements.START, {"horizon": 0}).fetchall()[0]
        refuse_older(generation, known, horizon, 0)
        store.execute("BEGIN IMMEDIATE")
        try:
            # Dropped rather than emptied: a store of another format has other columns.
            for table in ("channels", "routes", "route_agents", "tokens", "keys", "bodies", "flags"):
                store.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in SCHEMA.split(";"):
                store.execute(statement)
            with database.cursor("all_channels") as cursor:
                cursor.itersize = BATCH
                _write_channels(store, cursor.execute(statements.ALL_CHANNELS))
            with database.cursor("all_routes") as cursor:
                cursor.itersize = BATCH
                bodies = _write_routes(store, cursor.execute(statements.ALL_ROUTES))
            _write_bodies(store, database, bodies)
            _write_tokens(store, database.execute(statements.ALL_TOKENS))
            _write_keys(store, database)
            _write_flags(store, database.execute(statements.ALL_FLAGS))
            _note(store, horizon, generation, [])
            _write_meta(store, "complete", FORMAT)
        except BaseException:
            store.execute("ROLLBACK")
            raise
        store.execute("COMMIT")
    (count,) = store.execute("SELECT count(*) FROM channels").fetchone()
    seconds = time.monotonic() - started
    logger.info("The last-known-good store holds %d channels (copied in %.1f s).", count, seconds)


def _copy_moved(
    database: psycopg.Connection[Any], store: sqlite3.Connection, changes: Sequence[tuple[str, str]]
) -> None:
    keys: dict[str, list[str]] = {}
    for kind, key in changes:
        keys.setdefault(kind, []).append(key)
    routes: set[str] = set()
    for agent in sorted(set(keys.get("agent", []))):
        routes |= {row[0] for row in store.execute("SELECT route FROM route_agents WHERE agent = ?", [agent])}
    for some in _batches(sorted(set(keys.get("channel", [])))):
        routes |= _write_channels(store, database.execute(statements.LOAD_CHANNELS, [some]))
    for some in _batches(sorted(routes)):
        bodies = _write_routes(store, database.execute(statements.LOAD_ROUTES, [some]))
        _write_bodies(store, database, bodies)
    if "tokens" in keys:
        _write_tokens(store, database.execute(statements.ALL_TOKENS))
    elif "token" in keys:
        _write_tokens(store, database.execute(statements.LOAD_TOKENS, [keys["token"]]))
    if "keys" in keys:
        _write_keys(store, database)
    if "flag" in keys:
        _write_flags(store, database.execute(statements.LOAD_FLAGS, [keys["flag"]]))


def drop_unused(store: sqlite3.Connection) -> None:
    """Drop routes that no channel points at, and bodies that no route answers with."""
    store.execute("BEGIN IMMEDIATE")
    store.execute("DELETE FROM routes WHERE digest NOT IN (SELECT route FROM channels)")
    store.execute("DELETE FROM route_agents WHERE route NOT IN (SELECT digest FROM routes)")
    texts = store.execute("SELECT targets FROM routes")
    used = {digest for (text,) in texts for digest in _bodies_of(json.loads(text))}
    there = {row[0] for row in store.execute("SELECT digest FROM bodies")}
    store.executemany("DELETE FROM bodies WHERE digest = ?", [(digest,) for digest in there - used])
    store.execute("COMMIT")


def _write_channels(store: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> set[str]:
    """Write channels; gives the digests of their routes."""
    routes: set[str] = set()

    def values() -> Iterator[tuple[Any, ...]]:
        for address, is_enabled, route, time_zone in rows:
            routes.add(route)
            row = (address, int(is_enabled), route, time_zone)
            yield *row, checksum(*row)

    store.executemany("INSERT OR REPLACE INTO channels VALUES (?, ?, ?, ?, ?)", values())
    return routes


def _write_routes(store: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> set[str]:
    """Write routes with their targets followed; gives the digests of the configurations they answer with."""
    bodies: set[str] = set()
    for digest, body, targets in rows:
        text = json.dumps(targets)
        store.execute(
            "INSERT OR REPLACE INTO routes VALUES (?, ?, ?, ?)", (digest, body, text, checksum(digest, body, text))
        )
        store.executemany(
            "INSERT OR REPLACE INTO route_agents VALUES (?, ?)", [(target[0], digest) for target in targets]
        )
        bodies |= _bodies_of(targets)
    return bodies


def _bodies_of(targets: Iterable[Sequence[Any]]) -> set[str]:
    """The configurations that these targets answer with, those of canaries too."""
    return {digest for target in targets for digest in (target[3], target[4] and target[4][6]) if digest}


def _write_bodies(store: sqlite3.Connection, database: psycopg.Connection[Any], digests: set[str]) -> None:
    for some in _batches(sorted(digests), 100):
        marks = ",".join("?" * len(some))
        there = {row[0] for row in store.execute(f"SELECT digest FROM bodies WHERE digest IN ({marks})", some)}  # noqa: S608
        for digest, body in database.execute(statements.LOAD_BODIES, [sorted(set(some) - there)]):
            store.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (digest, body.encode()))


def _write_tokens(store: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
    for digest, is_usable, scopes, expires_at in rows:
        values = (digest, int(is_usable), json.dumps(scopes), expires_at)
        store.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?)", (*values, checksum(*values)))


def _write_keys(store: sqlite3.Connection, database: psycopg.Connection[Any]) -> None:
    store.execute("DELETE FROM keys")
    for position, (name, secret) in enumerate(database.execute(statements.LOAD_KEYS)):
        values = (name, bytes(secret))
        store.execute("INSERT INTO keys VALUES (?, ?, ?, ?)", (position, *values, checksum(*values)))


def _write_flags(store: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
    for key, number, body, is_archived in rows:
        if is_archived:
            store.execute("DELETE FROM flags WHERE key = ?", (key,))
        else:
            values = (key, number, body)
            store.execute("INSERT OR REPLACE INTO flags VALUES (?, ?, ?, ?)", (*values, checksum(*values)))


def _note(store: sqlite3.Connection, horizon: int, generation: int, seen: list[int]) -> None:
    values = {"horizon": horizon, "generation": generation, "seen": json.dumps(seen), "seen_at": time.time()}
    for key, value in values.items():
        _write_meta(store, key, str(value))


def _write_meta(store: sqlite3.Connection, key: str, value: str) -> None:
    store.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (key, value, checksum(key, value)))


def _batches(keys: Sequence[str], size: int = BATCH) -> Iterable[list[str]]:
    for start in range(0, len(keys), size):
        yield list(keys[start : start + size])
