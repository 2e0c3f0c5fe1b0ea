"""Deletes transcripts and recordings once their time is over: a month's partition at once, never row by row."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from agentversions.services.audit import record

from .contents import oldest_kept

PARTITIONS = r"""
    SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'monitoring_callcontent'::regclass AND c.relname ~ '_\d{6}$' ORDER BY c.relname
"""
STRAY = "monitoring_callcontent WHERE started_at < %s"


@dataclass(frozen=True)
class ContentMonth:
    """A month (its first moment, UTC) with the bytes that its transcripts and recordings take."""

    month: datetime
    size: int

    def __str__(self) -> str:
        return f"{self.month:%B %Y} ({self.size / 1024 / 1024:.1f} MB)"


def months_due() -> list[ContentMonth]:
    """The months whose time is over, oldest first."""
    since = oldest_kept()
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS)
        found = [ContentMonth(_month(name), size) for name, size in cursor.fetchall()]
    return [each for each in found if each.month < since]


def apply_retention() -> list[ContentMonth]:
    """Drop every month whose time is over; gives what was dropped. Each is a transaction of its own, with its entry.

    A month that something is reading for more than five seconds raises OperationalError: the next run drops it.
    """
    since = oldest_kept()
    dropped = [each for each in months_due() if _drop(each)]
    # The months are gone: this finds only what lies in the default partition.
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {STRAY}", [since])  # noqa: S608 our own condition
    return dropped


@transaction.atomic
def _drop(each: ContentMonth) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitoring_drop_content(%s)", [each.month])
        if not cursor.fetchone()[0]:
            return False
    record(
        action="transcripts deleted",
        subject_kind="month",
        subject=f"{each.month:%Y-%m}",
        reason=f"Transcripts and recordings are kept for {settings.CALL_CONTENT_DAYS} days.",
        after={"bytes": each.size},
        actor=None,
    )
    return True


def _month(partition: str) -> datetime:
    return datetime.strptime(partition[-6:], "%Y%m").replace(tzinfo=UTC)
