"""Switches the tests' connection between the two database roles, and empties tables that refuse it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.db import connection

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


def empty_all_tables() -> None:
    """Empty every table of the apps, as the owner, with the append-only triggers off for that moment."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - KEPT)
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    with as_owner(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table)} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table)} ENABLE TRIGGER USER")


KEPT = {"django_content_type", "auth_permission"}
"""Filled by migrations, not by tests."""
