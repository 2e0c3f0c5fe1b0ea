"""Whether an error tells that the database is away, and for how long nobody asks it after that."""

import time

import psycopg
from django.db import Error, InterfaceError, OperationalError

DATABASE_ERRORS = (Error, psycopg.Error)
"""What the database may raise; what runs in a COPY is not wrapped by Django."""
AWAY = frozenset({"08", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE: connection, rollback (a deadlock), resources, not ready, shut down by people, system."""
READ_ONLY = "25006"
"""A standby, as after a failover."""
PAUSE = 2.0
"""Seconds without another attempt after one failed: requests do not queue for a dead server."""

_away_until = 0.0


def is_outage(error: Exception) -> bool:
    """Whether to try again later is all that is to be done; else what was asked of the database is wrong."""
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if state:
        return state[:2] in AWAY or state == READ_ONLY
    return isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError)


def note_outage() -> None:
    """Nobody asks the database for the next seconds."""
    global _away_until
    _away_until = time.monotonic() + PAUSE


def was_just_away() -> bool:
    """Whether the database failed within the last seconds."""
    return time.monotonic() < _away_until
