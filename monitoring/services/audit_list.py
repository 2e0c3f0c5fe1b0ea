"""Finding entries of the audit log: filters, and pages by key, as quick at any depth as at the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DataError, connection

from agentversions.models import AuditCheck, AuditEntry, User
from agentversions.services.sealing import Sealed, Tail, last_seal, read_tail, seals_of
from monitoring.core.audit_filter import NOBODY, AuditFilter
from monitoring.core.page_key import PageKey

from .key_pages import beside, cut_page
from .spans import within
from .time_limit import TookTooLong, at_most

PER_PAGE = 50
CALENDAR = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""Times beyond these cannot be read: none that the product wrote is."""
PAGE_MS = 5_000
MOST_PEOPLE = 300
SLOW = "That took too long to find. Choose fewer days, a person or an action as well."
NO_TIME = (
    "An entry among these has a time that no calendar has: somebody changed it in the database. "
    "`manage.py verify_audit` names it; filter by a span of time to see the others."
)
EXPORTED = (
    *("id", "at", "actor_id", "actor__username", "action", "subject_kind", "subject", "reason", "before", "after"),
    *("origin", "origin_name", "client_address", "actor_name", "seal__position", "seal__hash", "seal__previous"),
)


@dataclass(frozen=True)
class AuditRow:
    """An entry with its seal (None while it waits for it); `is_sound` is None while nothing can be said."""

    entry: AuditEntry
    seal: Sealed | None
    is_sound: bool | None


@dataclass(frozen=True)
class AuditPage:
    """One page, newest first, with the keys of the pages beside it; `problem` says why there is none."""

    rows: list[AuditRow]
    older: PageKey | None = None
    newer: PageKey | None = None
    problem: str = ""


@dataclass(frozen=True)
class ChainState:
    """How far the chain reaches, what waits, and what the last verification found."""

    sealed: int
    head: str
    last: AuditEntry | None
    tail: Tail
    check: AuditCheck | None


def list_entries(
    wanted: AuditFilter, *, before: PageKey | None = None, after: PageKey | None = None, size: int = PER_PAGE
) -> AuditPage:
    """The newest entries that are wanted; `before` and `after` go on from an entry. Wrong filters find nothing."""
    if wanted.problems:
        return AuditPage([])
    try:
        with at_most(PAGE_MS):
            query = beside(_narrow(wanted), "at", before=before, after=after)
            found = list(query.select_related("actor")[: size + 1])
    except TookTooLong:
        return AuditPage([], problem=SLOW)
    except DataError:
        return AuditPage([], problem=NO_TIME)
    page = cut_page(found, size, _key, before=before, after=after)
    return AuditPage(_with_seals(page.rows), page.older, page.newer)


def find_entry(number: int) -> AuditRow | None:
    """One entry with its seal."""
    found = AuditEntry.objects.select_related("actor").filter(pk=number).first()
    return _with_seals([found])[0] if found is not None else None


def every_entry(wanted: AuditFilter) -> Iterator[Any]:
    """Named tuples (EXPORTED) of all entries that are wanted, newest first, read in pages: memory stays flat."""
    if wanted.problems:
        return
    before: PageKey | None = None
    while True:
        rows = list(beside(_narrow(wanted), "at", before=before).values_list(*EXPORTED, named=True)[:2_000])
        yield from rows
        if len(rows) < 2_000:
            return
        before = _key(rows[-1])


def chain_state() -> ChainState:
    """Read in four small queries: nothing is verified here."""
    head = last_seal()
    return ChainState(
        sealed=head.position if head else 0,
        head=head.hash if head else "",
        last=AuditEntry.objects.filter(pk=head.entry, at__range=CALENDAR).first() if head else None,
        tail=read_tail(head.entry if head else 0),
        check=AuditCheck.objects.order_by("-id").first(),
    )


def kinds_and_actions() -> tuple[list[str], list[str]]:
    """What the log has entries of, to choose from."""
    return _distinct("subject_kind"), _distinct("action")


def people() -> list[User]:
    """Who may have changed something, by user name."""
    return list(User.objects.order_by("username").only("username", "first_name", "last_name")[:MOST_PEOPLE])


def _narrow(wanted: AuditFilter) -> Any:
    found = AuditEntry.objects.all()
    if wanted.who == NOBODY:
        found = found.filter(actor=None)
    elif wanted.who:
        # The key first: joined, PostgreSQL would not use the index of one person's entries.
        found = found.filter(
            actor_id=User.objects.filter(username=wanted.who).values_list("pk", flat=True).first() or 0
        )
    if wanted.kind:
        found = found.filter(subject_kind=wanted.kind)
    elif wanted.subject:
        # A thing of any kind: naming the kinds lets the trail's index find it.
        found = found.filter(subject_kind__in=_distinct("subject_kind"))
    if wanted.subject:
        found = found.filter(subject=wanted.subject)
    if wanted.words:
        # Said twice, so that the index of those that say why is one of the question.
        found = found.exclude(reason="").filter(reason__icontains=wanted.words)
    exact = {"action": wanted.action, "origin": wanted.origin, "client_address": wanted.address}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    return within(found, "at", days=wanted.days, since=wanted.since, until=wanted.until)


def _with_seals(entries: list[AuditEntry]) -> list[AuditRow]:
    # The head first: what is below it has its seal by then, whatever is sealed meanwhile.
    head, seals = last_seal(), seals_of([entry.pk for entry in entries])
    sealed_up_to = head.entry if head else 0
    return [
        AuditRow(
            entry,
            seal := seals.get(entry.pk),
            # Without a seal below sealed numbers: somebody inserted it.
            seal.is_sound if seal is not None else (False if entry.pk <= sealed_up_to else None),
        )
        for entry in entries
    ]


def _distinct(column: str) -> list[str]:
    """The values of a column, from one to the next through its index: a plain DISTINCT would read every entry."""
    assert column in {"subject_kind", "action"}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE found AS (
                (SELECT {column} AS value FROM agentversions_auditentry ORDER BY 1 LIMIT 1)
                UNION ALL
                SELECT (SELECT {column} FROM agentversions_auditentry WHERE {column} > found.value ORDER BY 1 LIMIT 1)
                FROM found WHERE found.value IS NOT NULL
            )
            SELECT value FROM found WHERE value IS NOT NULL
            """  # noqa: S608
        )
        return [row[0] for row in cursor.fetchall()]


def _key(entry: Any) -> PageKey:
    return PageKey(entry.at, entry.id)
