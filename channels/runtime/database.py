"""The runtime's own connections: few, bounded in time, and given up when PostgreSQL does not answer."""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg

logger = logging.getLogger("channels.runtime")

TIMEOUT = 0.5
"""Seconds that a call may wait for PostgreSQL before it is answered from the last-known-good store."""
PAUSE = 1.0
"""Seconds without another attempt after one failed, so that calls do not queue for a dead server."""


class DatabaseAway(Exception):
    """PostgreSQL did not answer in time."""


def connect(url: str, name: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that notices within seconds when its server or the network is gone."""
    return psycopg.connect(
        url,
        autocommit=True,
        application_name=f"agent-versions {name}",
        connect_timeout=2,
        keepalives=1,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=3000,
        prepare_threshold=1,
    )


def sever(connection: psycopg.Connection[Any]) -> None:
    """End a connection under whoever waits in it: a frozen server never lets go by itself."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


class Database:
    """Reads single things for calls that memory cannot answer."""

    def __init__(self, url: str, *, threads: int = 2) -> None:
        self._url = url
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="runtime-database")
        self._own = threading.local()
        self._open: set[psycopg.Connection[Any]] = set()
        self._away_until = 0.0

    def fetch(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement within half a second. Raises DatabaseAway."""
        if time.monotonic() < self._away_until:
            raise DatabaseAway
        future: Future[list[tuple[Any, ...]]] = self._pool.submit(self._fetch, statement, parameters)
        try:
            return future.result(TIMEOUT)
        except (TimeoutError, psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._give_up(error)
            future.cancel()
            raise DatabaseAway from error

    def close(self) -> None:
        """Close every connection."""
        self._pool.shutdown()
        for connection in list(self._open):
            connection.close()

    def _give_up(self, error: Exception) -> None:
        self._away_until = time.monotonic() + PAUSE
        logger.warning("PostgreSQL did not answer (%s); calls are answered from the last-known-good store.", error)
        for connection in list(self._open):
            sever(connection)

    def _fetch(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Once more on a new connection when the old one was closed meanwhile."""
        try:
            return self._connection().execute(statement, parameters).fetchall()
        except psycopg.OperationalError:
            self._close()
            return self._connection().execute(statement, parameters).fetchall()

    def _connection(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] | None = getattr(self._own, "connection", None)
        if connection is None or connection.closed:
            self._close()
            connection = self._own.connection = connect(self._url, "runtime")
            self._open.add(connection)
        return connection

    def _close(self) -> None:
        connection: psycopg.Connection[Any] | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._open.discard(connection)
            with contextlib.suppress(psycopg.Error, OSError):
                connection.close()
            self._own.connection = None
