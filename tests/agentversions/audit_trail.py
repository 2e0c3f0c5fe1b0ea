"""What tests of the audit trail's chain share: entries, seals, verifying, tampering as the owner."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from agentversions.models import AuditSeal
from agentversions.services.audit import record
from agentversions.services.sealing import read_tail, seal_entries
from tests.database import as_owner


def write(*reasons: str) -> list[int]:
    return [
        record(
            action="route changed", subject_kind="channel", subject="+33198765432", reason=reason,
            before={"route": "V1"}, after={"route": "V2", "share": 0.5}, actor=None,
        ).pk
        for reason in reasons
    ]  # fmt: skip


def sealed() -> list[int]:
    return list(AuditSeal.objects.order_by("position").values_list("entry_id", flat=True))


def seal_all() -> None:
    """Seal until nothing waits; nobody writes meanwhile, so the first time finds all decided."""
    while seal_entries():
        pass
    assert read_tail(max(sealed(), default=0)).waiting == 0


def verify(*expected: str) -> str:
    out = io.StringIO()
    call_command("verify_audit", expect=list(expected), stdout=out)
    return out.getvalue()


def broken(*expected: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match="The chain is broken") as error:
        call_command("verify_audit", expect=list(expected), stdout=out)
    assert error.value.returncode == 1
    return out.getvalue()


TABLES = ("agentversions_auditentry", "agentversions_auditseal")
DROP_FOREIGN_KEY = """
DO $$ BEGIN EXECUTE (
    SELECT format('ALTER TABLE agentversions_auditseal DROP CONSTRAINT %I', conname) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = 'agentversions_auditseal'::regclass
); END $$
"""


@contextmanager
def tampering() -> Iterator[Any]:
    """As the owner of the tables, without triggers and foreign key: whoever has the database may do this.

    It is undone afterwards, so that one chain serves many attacks.
    """
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(DROP_FOREIGN_KEY)
        yield cursor
        transaction.set_rollback(True)


def forge(*statements: str) -> None:
    """As the owner of the tables, with our triggers off; it stays."""
    with as_owner(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@contextmanager
def another_connection() -> Iterator[Any]:
    """A program of its own, in the application's role, whose transaction stays open."""
    values = connection.settings_dict
    with psycopg.connect(
        dbname=values["NAME"],
        user=values["USER"],
        password=values["PASSWORD"],
        host=values["HOST"],
        port=values["PORT"],
    ) as other:
        yield other


INSERT = """
INSERT INTO agentversions_auditentry (action, subject_kind, subject, reason)
VALUES ('route changed', 'channel', '+33198765432', %s) RETURNING id
"""
