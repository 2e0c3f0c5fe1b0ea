"""Writes the audit trail: every service of every app calls `record` inside its transaction."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from agentversions.models import AuditEntry, User
from agentversions.models.database import ClockTimestamp, database_now
from config.origin import current_origin

ENTRIES_AT_ONCE = 500
SITTING = timedelta(minutes=30)
"""Saves of one person less than this apart are one sitting: one audit entry, one group in the draft history."""


def record(
    *,
    action: str,
    subject_kind: str,
    subject: str,
    reason: str = "",
    before: Any = None,
    after: Any = None,
    actor: User | None,
) -> AuditEntry:
    """Append one entry: `action` in the past tense (`version published`), `subject` the thing's slug or number.

    From where it was done is known already (`config.origin`)."""
    entry = entry_of(
        action=action,
        subject_kind=subject_kind,
        subject=subject,
        reason=reason,
        before=before,
        after=after,
        actor=actor,
    )
    entry.save(force_insert=True)
    return entry


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Append many entries of `entry_of` in their order, at one moment: for work on many things at once."""
    rows, now = list(entries), database_now()
    for row in rows:
        row.at = now
    AuditEntry.objects.bulk_create(rows, batch_size=ENTRIES_AT_ONCE)


def entry_of(
    *,
    action: str,
    subject_kind: str,
    subject: str,
    reason: str = "",
    before: Any = None,
    after: Any = None,
    actor: User | None,
) -> AuditEntry:
    """An entry as `record` appends it, not stored yet; from where it was done is what holds now."""
    origin = current_origin()
    return AuditEntry(
        action=action,
        subject_kind=subject_kind,
        subject=subject,
        reason=reason,
        before=before,
        after=after,
        actor=actor,
        origin=origin.kind,
        origin_name=origin.name,
        client_address=origin.address or None,
        actor_name=actor.username if actor is not None else "",
    )


def record_once_per_sitting(
    *, action: str, subject_kind: str, subject: str, before: Any = None, actor: User
) -> AuditEntry | None:
    """Append an entry unless this person's last one for this thing says the same and is younger than a sitting."""
    trail = AuditEntry.objects.filter(subject_kind=subject_kind, subject=subject).order_by("-id")
    if trail.filter(action=action, actor=actor, at__gt=ClockTimestamp() - SITTING).exists():
        return None
    return record(action=action, subject_kind=subject_kind, subject=subject, before=before, actor=actor)
