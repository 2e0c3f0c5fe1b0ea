"""What PostgreSQL itself enforces: append-only tables by privilege and by trigger, and its own clock."""

from datetime import datetime

import pgtrigger
from django.db import connection, models
from django.db.models import Func

READ_AND_APPEND = ("SELECT", "INSERT")
READ_APPEND_AND_CHANGE = ("SELECT", "INSERT", "UPDATE")
EVERYTHING = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""For `database_privileges` of a model: what `manage.py apply_privileges` grants to the application's role.
A model that says nothing gets SELECT, INSERT, UPDATE and DELETE."""


class ClockTimestamp(Func):
    """The database's clock at this very moment, also after waiting for a lock (now() is the transaction's start)."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = models.DateTimeField()


def database_now() -> datetime:
    """The database's clock at this very moment; the application's may be minutes off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def append_only(*, table: str, also: list[pgtrigger.Trigger] | None = None) -> list[pgtrigger.Trigger]:
    """Triggers that refuse UPDATE, DELETE and TRUNCATE: the second line behind the role's privileges."""
    refuse = (
        f"RAISE EXCEPTION '% is append-only: % is refused.', '{table}', TG_OP "
        "USING ERRCODE = 'integrity_constraint_violation';"
    )
    return [
        pgtrigger.Trigger(
            name="append_only_rows",
            operation=pgtrigger.Update | pgtrigger.Delete,
            when=pgtrigger.Before,
            func=refuse,
        ),
        pgtrigger.Trigger(
            name="append_only_table",
            level=pgtrigger.Statement,
            operation=pgtrigger.Truncate,
            when=pgtrigger.Before,
            func=refuse,
        ),
        *(also or []),
    ]
