"""Seals the audit trail: links its entries, in the order of their numbers, into a chain of hashes.

Writers wait for nothing: a seal is written after the fact by a worker, of entries that are decided. An entry of a slow
transaction holds back those with greater numbers, so that none is passed over; one that appears below a sealed number
was not written by the product.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import connection, transaction

from agentversions.core.audit_chain import ChainedEntry, Link, chain, hash_of
from agentversions.core.audit_horizon import Sample, decide
from agentversions.models import AuditHorizon, AuditSeal

PER_TRANSACTION = 2_000
SECONDS = 5.0
"""A run ends after so long; what is left is the next one's. Shorter than the worker's rhythm, a worker would stand idle
while a burst waits."""
MOST_WAITING = 1_000
ENTRY = """
e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || CASE WHEN e.at < '0001-01-01 UTC' THEN ' BC' ELSE '' END, e.actor_id, e.action, e.subject_kind, e.subject,
e.reason, e.before::text, e.after::text, e.origin, e.origin_name, abbrev(e.client_address), e.actor_name
"""
"""The columns of a ChainedEntry, as text and to the last digit: no era, no bits of a network are lost on the way."""
WRITERS = """
SELECT virtualtransaction FROM pg_locks
 WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND relation = 'agentversions_auditentry'::regclass AND mode = 'RowExclusiveLock' AND granted
"""


@dataclass(frozen=True)
class Tail:
    """What is not sealed yet: how many entries (at most MOST_WAITING are counted), and the age of the oldest."""

    waiting: int
    age: timedelta | None

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.waiting >= MOST_WAITING


def seal_entries(*, seconds: float = SECONDS) -> int:
    """Seal what is decided, for about so long, and give the number of seals. Of several workers one does it."""
    end, sealed = monotonic() + seconds, 0
    while True:
        count = _seal_some()
        sealed += count
        if count < PER_TRANSACTION or monotonic() >= end:
            return sealed


@transaction.atomic
def _seal_some() -> int:
    with connection.cursor() as cursor:
        # Whoever comes second leaves it to the first; the constraints on seals are the second line.
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('agentversions_auditseal'))")
        if not cursor.fetchone()[0]:
            return 0
        last = last_seal()
        sealed_up_to = last.entry if last is not None else 0
        bound = _decided(cursor, sealed_up_to)
        if bound is None:
            return 0
        # A statement of its own, with a snapshot of its own: it sees whatever had ended by then.
        cursor.execute(
            f"SELECT {ENTRY} FROM agentversions_auditentry e WHERE e.id > %s AND e.id <= %s ORDER BY e.id LIMIT %s",  # noqa: S608
            [sealed_up_to, bound, PER_TRANSACTION],
        )
        links = list(chain((ChainedEntry._make(row) for row in cursor), after=last))
        if links:
            positions, entries, hashes, previous = zip(*links, strict=True)
            cursor.execute(
                """
                INSERT INTO agentversions_auditseal (position, entry_id, hash, previous)
                SELECT * FROM unnest(
                    %s::bigint[], %s::bigint[], string_to_array(%s, ' '), string_to_array(%s, ' ')
                ) ORDER BY 1
                """,
                # Hashes as one text: in an array each would be looked through for what has to be escaped.
                [list(positions), list(entries), " ".join(hashes), " ".join(previous)],
            )
    return len(links)


def _decided(cursor: Any, sealed_up_to: int) -> int | None:
    """The number up to which every entry is either there or never will be; None where nothing waits or is decided."""
    cursor.execute("SELECT EXISTS (SELECT FROM agentversions_auditentry WHERE id > %s)", [sealed_up_to])
    if not cursor.fetchone()[0]:
        return None
    # Two statements in this order. An INSERT locks the table before it draws a number, and holds the lock until its
    # transaction has ended and can be seen: whoever may still bring a number up to `drawn` stands among the writers.
    # (Not the oldest transaction of a snapshot: that is the server's, and one that never comes near the audit trail,
    # in another database even, would hold up the seals. A number is also drawn before a transaction has its id.)
    cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM agentversions_auditentry_id_seq")
    (drawn,) = cursor.fetchone()
    cursor.execute(WRITERS)
    now = Sample(drawn, frozenset(row[0] for row in cursor.fetchall()))
    row = AuditHorizon.objects.first()
    kept = Sample(row.drawn, frozenset(row.writers)) if row is not None else None
    bound, keep = decide(now, kept)
    if keep is not None and keep != kept:
        AuditHorizon.objects.update_or_create(
            only=True, defaults={"drawn": keep.drawn, "writers": sorted(keep.writers)}
        )
    return bound


def last_seal() -> Link | None:
    """The head of the chain; None before the first."""
    found = AuditSeal.objects.order_by("-position").values_list("position", "entry_id", "hash", "previous").first()
    return Link(*found) if found is not None else None


def read_tail(sealed_up_to: int) -> Tail:
    """The entries after the last sealed one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), clock_timestamp() - min(at) FROM (
                SELECT at FROM agentversions_auditentry WHERE id > %s ORDER BY id LIMIT %s
            ) AS waiting
            """,
            [sealed_up_to, MOST_WAITING],
        )
        return Tail(*cursor.fetchone())


@dataclass(frozen=True)
class Sealed:
    """The seal of one entry, and whether the entry is what was sealed."""

    position: int
    hash: str
    previous: str
    is_sound: bool


def seals_of(numbers: Sequence[int]) -> dict[int, Sealed]:
    """The seals of some entries, by the entries' numbers; those without one are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.position, s.entry_id, s.hash, s.previous, {ENTRY}
              FROM agentversions_auditseal s JOIN agentversions_auditentry e ON e.id = s.entry_id
             WHERE e.id = ANY(%s)
            """,  # noqa: S608
            [list(numbers)],
        )
        rows = cursor.fetchall()
    return {
        entry: Sealed(
            position, found, previous, hash_of(ChainedEntry(*fields), position=position, previous=previous) == found
        )
        for position, entry, found, previous, *fields in rows
    }


def sealed_chain(*, batch: int = 5_000) -> Iterator[tuple[Link, ChainedEntry | None]]:
    """Every seal in order with its entry, None where it is gone; read in batches, so that memory stays flat."""
    position = -(2**63)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT position, entry_id, hash, previous FROM agentversions_auditseal"
                " WHERE position > %s ORDER BY position LIMIT %s",
                [position, batch],
            )
            links = [Link._make(row) for row in cursor]
            # By their keys: joined, PostgreSQL may read the whole table for each batch.
            cursor.execute(
                f"SELECT {ENTRY} FROM agentversions_auditentry e WHERE e.id = ANY(%s)",  # noqa: S608
                [[link.entry for link in links]],
            )
            entries = {row[0]: ChainedEntry._make(row) for row in cursor}
        for link in links:
            yield link, entries.get(link.entry)
        if len(links) < batch:
            return
        position = links[-1].position
