"""Switches the tests' connection between the two database roles, and empties tables that refuse it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from config.database_url import parse_database_url


def _use(url: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    address = parse_database_url(url)
    connection.settings_dict.update({name: address[name] for name in ("USER", "PASSWORD", "HOST", "PORT")})


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as the role that owns the tables."""
    _use(settings.DATABASE_OWNER_URL)
    try:
        yield
    finally:
        _use(settings.DATABASE_APP_URL)


def commit_without_waiting() -> None:
    """Let commits to the tests' database not wait for the disk: it is thrown away, and no test here cuts the power."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")


def end_other_sessions() -> None:
    """End what threads of tests left open, or a pool just began: the database cannot be removed while it is used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )


def empty_all_tables() -> None:
    """Empty every table of the apps, as the owner, with the append-only triggers off for that moment.

    Only tables that hold rows are touched, and by DELETE: TRUNCATE makes new files for a table, for its indexes and
    for all that refer to it, which takes a hundred times as long as the few rows of a test.
    """
    owner = _cleaner()
    try:
        rows = owner.execute(_which_hold_rows()).fetchall()
    except psycopg.OperationalError:  # a test ended every connection to the database, this one too
        close_cleaner()
        owner = _cleaner()
        rows = owner.execute(_which_hold_rows()).fetchall()
    held = [sql.Identifier(table) for (table,) in rows]
    with owner.transaction():
        for table in held:
            owner.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
        for table in held:
            owner.execute(sql.SQL("DELETE FROM {}").format(table))
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else the triggers below wait for the checks at the commit
        for table in held:
            owner.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(table))
        owner.execute(RESTART_NUMBERS, [[*KEPT_NUMBERS]])


@cache
def _cleaner() -> "psycopg.Connection[Any]":
    """One connection of the owner's for all tests of this process: a new one reads the catalog anew, for 50 ms."""
    return psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"], autocommit=True)


def close_cleaner() -> None:
    """Let go of the database, which is about to be removed."""
    _cleaner().close()
    _cleaner.cache_clear()


@cache
def _which_hold_rows() -> sql.Composed:
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - KEPT, reverse=True)
    tables.sort(key="procrastinate_jobs".__eq__)  # last: alone its references are not checked at the commit but at once
    asked = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    return sql.SQL(" UNION ALL ").join(asked.format(table, sql.Identifier(table)) for table in tables)


KEPT = {"django_content_type", "auth_permission"}
"""Filled by migrations, not by tests."""
KEPT_NUMBERS = {f"{table}_id_seq" for table in (*KEPT, "django_migrations")}
RESTART_NUMBERS = """
    SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
    WHERE last_value IS NOT NULL AND NOT sequencename = ANY (%s)
"""
