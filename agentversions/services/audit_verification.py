"""Verifies the chain over the audit trail: every seal and every entry, once, with flat memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from agentversions.core.audit_chain import GENESIS, ChainedEntry, Link
from agentversions.core.audit_check import ChainWalk, Problem, say_cut, say_unsealed
from agentversions.models import AuditCheck, AuditEntry

from .sealing import Tail, read_tail, sealed_chain

MOST_SAID = 1_000
MOST_KEPT = 20
"""Problems that the page shows."""


@dataclass(frozen=True)
class Verified:
    """What a verification found. `problems` are the first MOST_SAID; `head` is the hash to keep elsewhere."""

    sealed: int
    head: str
    position: int
    entry: int
    problems: tuple[Problem, ...]
    problem_count: int
    tail: Tail

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem_count == 0


def verify_audit(
    *, expected: tuple[str, ...] = (), show: Callable[[int, int], None] = lambda done, total: None
) -> Verified:
    """Walk the chain in one snapshot and keep the result, which the page shows.

    `expected` are heads kept elsewhere; the one of the last whole check is looked for as well. `show` is told how far
    it is, in seals, out of about how many.
    """
    found: list[Problem] = []
    count = 0
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            # Seals that are written meanwhile are the next verification's.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'agentversions_auditseal'")
        total = max(int(cursor.fetchone()[0]), 1)
        walk = ChainWalk({*expected, *_last_whole_head()} - {GENESIS})
        for problem in _problems(walk, lambda: show(walk.count, total)):
            count += 1
            if count <= MOST_SAID:
                found.append(problem)
        tail = read_tail(walk.greatest_entry)
    head = walk.head or Link(0, 0, GENESIS, GENESIS)
    AuditCheck.objects.create(
        position=head.position, head=head.hash, problems=[problem.sentence for problem in found[:MOST_KEPT]]
    )
    return Verified(walk.count, head.hash, head.position, head.entry, tuple(found), count, tail)


def _problems(walk: ChainWalk, show: Callable[[], None]) -> Iterator[Problem]:
    yield from walk.problems(_shown(walk, show))
    unsealed = AuditEntry.objects.filter(id__lte=walk.greatest_entry, seal=None).order_by("id")
    yield from say_unsealed(unsealed.values_list("id", flat=True)[:MOST_SAID], walk.gaps)
    yield from say_cut(walk.not_met)


def _shown(walk: ChainWalk, show: Callable[[], None]) -> Iterator[tuple[Link, ChainedEntry | None]]:
    for row in sealed_chain():
        yield row
        if walk.count % 5_000 == 0:
            show()


def _last_whole_head() -> list[str]:
    """The head of the last check that found nothing wrong."""
    return list(AuditCheck.objects.filter(problems=[]).order_by("-id").values_list("head", flat=True)[:1])
