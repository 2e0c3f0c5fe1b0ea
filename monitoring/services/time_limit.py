"""Bounds what a question may cost the database: pages that ask again and again must not pile up behind a slow one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TookTooLong(Exception):
    """PostgreSQL stopped the question when its time was up."""


@contextmanager
def at_most(milliseconds: int) -> Iterator[None]:
    """Each statement inside may take so long. Raises TookTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
            # Within a transaction of the caller's the setting would outlive the question.
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
