"""`python -m bench.audit [entries]`: the audit log over a million entries: pages, sealing a backlog, verifying.

Entries are made by PostgreSQL (people, things, actions and reasons as they are spread in practice: a few are busy);
what is measured goes through the product's own page, sealer and verification.
"""

import resource
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from urllib.parse import quote

from bench.scratch import scratch_database, start_django

ENTRIES = 1_000_000
ROUNDS = 15
PAGE_BAR_MS, WORDS_BAR_MS, SEAL_BAR, VERIFY_BAR = 60.0, 500.0, 6_000.0, 12_000.0
"""A page by its indexes; one that has to read every reason; entries per second."""
BURST, BURST_BAR_S, RHYTHM_S = 20_000, 5.0, 2.0
"""Entries at once, when the last of them has to be sealed, and how often a worker looks."""
FILL = """
INSERT INTO agentversions_auditentry
    (at, actor_id, action, subject_kind, subject, reason, before, after, origin, origin_name, client_address)
SELECT now() - (%(count)s - n) * interval '7 seconds',
       CASE WHEN n %% 10 = 0 THEN NULL ELSE (%(people)s::bigint[])[1 + (power(random(), 3) * 49)::int] END,
       (ARRAY['draft edited', 'draft edited', 'draft edited', 'route changed', 'version published', 'made live',
              'call read', 'call read'])[1 + n %% 8],
       (ARRAY['agent', 'agent', 'agent', 'channel', 'agent', 'agent', 'call', 'call'])[1 + n %% 8],
       'thing-' || (power(random(), 3) * 5000)::int,
       CASE WHEN n %% 8 = 4 THEN 'Release ' || n || ': shorter greeting, fewer questions' ELSE '' END,
       jsonb_build_object('digest', md5(n::text) || md5((n + 1)::text)),
       jsonb_build_object('digest', md5((n + 2)::text) || md5((n + 3)::text), 'version', n %% 30),
       'page', '/agents/thing/', ('203.0.' || n %% 7 || '.' || n %% 200)::inet
  FROM generate_series(1, %(count)s) AS n
"""


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    with scratch_database():
        return _run(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)


def _run(count: int) -> int:
    from django.db import connection

    from agentversions.services.sealing import seal_entries
    from tests.database import as_owner
    from tests.factories import make_user

    people = [make_user("viewer", username=f"person-{number}") for number in range(50)]
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"count": count, "people": [each.pk for each in people]})
    start = time.perf_counter()
    while seal_entries(seconds=5.0):
        pass
    rate = count / (time.perf_counter() - start)
    is_missed = _judge(f"sealing a backlog of {count:,}", rate, SEAL_BAR, "/s", at_least=True)
    is_missed = _burst([each.pk for each in people]) or is_missed
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE agentversions_auditentry")
        cursor.execute("VACUUM ANALYZE agentversions_auditseal")
    return 1 if _read(people[0], count + BURST) or is_missed else 0


def _burst(people: list[int]) -> bool:
    """How long after a burst its last entry is sealed, by a worker who has only just looked when it comes."""
    from django.db import connection

    from agentversions.services.sealing import last_seal, read_tail, seal_entries

    with connection.cursor() as cursor:
        cursor.execute(FILL, {"count": BURST, "people": people})
    start = time.perf_counter()
    looks = 0
    while (head := last_seal()) is not None and read_tail(head.entry).waiting:
        looks += 1
        time.sleep(max(0.0, start + looks * RHYTHM_S - time.perf_counter()))
        seal_entries()
    return _judge(f"until a burst of {BURST:,} is sealed", time.perf_counter() - start, BURST_BAR_S, "s")


def _read(reader: Any, count: int) -> bool:
    """Verify the sealed entries and open the pages; whether a bar was missed."""
    from django.test import Client

    from agentversions.services.audit_verification import verify_audit
    from agentversions.services.sealing import seal_entries

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    verified = verify_audit()
    taken = time.perf_counter() - start
    assert verified.is_whole, verified.problems[:3]
    assert verified.sealed == count
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    name = f"verifying them (memory grew by {grown:.0f} MB)"
    is_missed = _judge(name, count / taken, VERIFY_BAR, "/s", at_least=True)
    times = [_timed(seal_entries) for _ in range(ROUNDS)]
    print(f"{'sealing when nothing waits':<44}{median(times):12,.1f} ms")

    client = Client()
    client.force_login(reader)
    for name, query, bar in (
        ("page: everything", "", PAGE_BAR_MS),
        ("page: everything, 500,000 entries back", f"?before={_deep(count // 2)}", PAGE_BAR_MS),
        ("page: a busy person", "?who=person-0", PAGE_BAR_MS),
        ("page: a quiet person, an action", "?who=person-49&action=made+live", PAGE_BAR_MS),
        ("page: one thing of a kind", "?kind=agent&subject=thing-4321", PAGE_BAR_MS),
        ("page: one busy thing", "?subject=thing-0", PAGE_BAR_MS),
        ("page: an action, a month ago", "?action=version+published&until=2026-10-01", PAGE_BAR_MS),
        ("page: a kind, a person, a span", "?kind=channel&who=person-3&days=30", PAGE_BAR_MS),
        ("page: words that stand in many reasons", "?words=shorter", PAGE_BAR_MS),
        ("page: an origin that nothing has", "?origin=git", PAGE_BAR_MS),
        ("page: an address, a person", "?address=203.0.3.33&who=person-3", PAGE_BAR_MS),
        ("page: words that stand in none", "?words=never", WORDS_BAR_MS),
    ):
        found = [_timed(_asker(client, query)) for _ in range(ROUNDS + 1)][1:]
        is_missed = _judge(name, median(found), bar, "ms") or is_missed
    return is_missed


def _judge(name: str, value: float, bar: float, unit: str, *, at_least: bool = False) -> bool:
    is_missed = value < bar if at_least else value > bar
    word = "at least" if at_least else "bar"
    verdict = "MISSED" if is_missed else "pass"
    print(f"{name:<44}{value:12,.1f} {unit:<6} {word} {bar:,.0f}: {verdict}", flush=True)
    return is_missed


def _deep(rows: int) -> str:
    """Where the page after so many entries begins."""
    from agentversions.models import AuditEntry
    from monitoring.core.page_key import PageKey

    entry = AuditEntry.objects.order_by("-at", "-id")[rows]
    return quote(str(PageKey(entry.at, entry.pk)))


def _asker(client: Any, query: str) -> Callable[[], Any]:
    def ask() -> Any:
        response = client.get(f"/audit/{query}")
        assert response.status_code == 200, response.status_code
        assert b"took too long" not in response.content
        return response

    return ask


def _timed(action: Callable[[], Any]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    sys.exit(main())
