"""`python -m bench.monitoring [calls]`: the pages of calls and analytics over many calls, and how fast calls come in.

200 agents of 30 versions over 90 days (1,000,000 calls unless told otherwise); a fifth of all calls is the heaviest
agent's. Calls and figures are made by PostgreSQL; what is measured goes through the product's own services and pages.
"""

import sys
from datetime import timedelta
from statistics import median
from urllib.parse import quote

from bench.monitoring_data import AGENTS, DAYS, VERSIONS, fill
from bench.pages import timed
from bench.scratch import scratch_database, start_django

CALLS = 10_000_000
ROUNDS = 15
BARS_MS = {
    "calls, two versions, newest": 60.0,
    "calls, two versions, page 200": 60.0,
    "analytics, heaviest agent, 90 days": 120.0,
}
BATCHES, PER_BATCH = 30, 500
INGEST_BAR = 2_500 / 2
"""Calls per second of one process: the bar is for two workers."""


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    with scratch_database():
        return _run(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS)


def _run(count: int) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from agentversions.models.database import database_now
    from tests.factories import make_user

    operator = make_user("editor")
    first = fill(operator, count, database_now())[0]
    client = Client()
    client.force_login(operator)
    two = "agent=agent-0&version=V7&version=V6"
    deep = _key_after(first, 200 * 50)
    cases = {
        "calls, everything": "/calls/",
        "calls, two versions, newest": f"/calls/?{two}",
        "calls, two versions, page 200": f"/calls/?{two}&before={deep}",
        "calls, two versions, errors only": f"/calls/?{two}&outcome=error",
        "calls of a number": "/calls/?channel=%2B33170000042",
        "analytics, heaviest agent, 90 days": "/analytics/?agent=agent-0&days=90",
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    in_database: dict[str, float] = {}
    for round_number in range(ROUNDS + 1):
        for name, address in cases.items():

            def get(address: str = address) -> None:
                response = client.get(address)
                assert response.status_code == 200, response.status_code

            taken = timed(get)
            if round_number:
                times[name].append(taken)
    for name, address in cases.items():
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        in_database[name] = sum(float(query["time"]) for query in captured) * 1000
    rate = _ingest()
    print(f"{count:,} calls, {AGENTS} agents of {VERSIONS} versions, {DAYS} days; {ROUNDS} rounds; one process, warm")
    missed = rate < INGEST_BAR
    for name, values in times.items():
        bar = BARS_MS.get(name)
        is_missed = bar is not None and median(values) > bar
        missed = missed or is_missed
        verdict = "" if bar is None else f"{bar:.0f} ms {'MISSED' if is_missed else 'pass'}"
        spread = f"{min(values):.1f}–{max(values):.1f} ms"
        print(f"{name:<38}{median(values):8.1f} ms {spread:>20}  database {in_database[name]:6.1f} ms  {verdict}")
    verdict = "pass" if rate >= INGEST_BAR else "MISSED"
    print(f"ingestion in lists of {PER_BATCH}, one process: {rate:,.0f} calls/s (bar {INGEST_BAR:,.0f}: {verdict})")
    return 1 if missed else 0


def _key_after(agent: int, rows: int) -> str:
    """Where the page after so many calls of the two versions begins."""
    from monitoring.core.page_key import PageKey
    from monitoring.models import Call

    found = Call.objects.filter(agent_id=agent, version__in=[6, 7]).order_by("-started_at", "-id")
    rows = min(rows, found.count() - 60)
    call = found[rows]
    return quote(str(PageKey(call.started_at, call.id)))


def _ingest() -> float:
    """Calls per second through the service, attribution and figures included."""
    from agentversions.models.database import database_now
    from monitoring.core.records import read_record
    from monitoring.services.ingest import ingest

    now = database_now()
    batches = [
        [
            {
                "id": f"new-{batch}-{at}",
                "agent": "agent-0",
                "version": at % VERSIONS,
                "started_at": now - timedelta(seconds=at),
                "duration_s": 60 + at % 300,
                "caller": f"+336{at:08d}",
                "engaged": True,
                "sentiment": "neutral",
                "cost": "0.2",
                "currency": "EUR",
            }
            for at in range(PER_BATCH)
        ]
        for batch in range(BATCHES + 1)
    ]
    rates = []
    for documents in batches:
        taken = timed(lambda documents=documents: ingest([read_record(each) for each in documents], source="bench"))  # type: ignore[misc]
        rates.append(PER_BATCH / taken * 1000)
    return median(rates[1:])


if __name__ == "__main__":
    sys.exit(main())
