"""`python -m bench.monitoring [calls]`: the pages of calls and analytics over ten million calls.

200 agents of 30 versions over 90 days; a fifth of all calls is the heaviest agent's. Calls and figures are made by
PostgreSQL; what is measured goes through the product's own pages, in one process, beside the Django admin's list over
the same table and the same aggregate by DuckDB and chDB. A tenth of the calls is measured first, in a database of its
own, to see what growth costs.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

from bench.engines import engines, export_calls, timed
from bench.monitoring_admin import admin_list
from bench.monitoring_data import AGENTS, DAYS, VERSIONS, fill
from bench.scratch import scratch_database, start_django

CALLS = 10_000_000
ROUNDS = 15
TWO = "agent=agent-0&version=V7&version=V6"
BARS_MS = {
    "calls of two versions, page 1": (60.0, 5.0),
    "calls of an agent, page 5,000": (60.0, 5.0),
    "analytics, heaviest agent, 90 days": (120.0, 30.0),
}
"""Server time and the database's part of it."""
DEEP = 5_000 * 50
GROWTH_BAR, DEPTH_BAR, EXPORT_BAR = 1.3, 1.2, 25_000
EXPORTED = 1_000_000


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    with scratch_database():
        small = _measure(count // 10, is_last=False)
    with scratch_database():
        return _judge(count, small, _measure(count, is_last=True))


def _measure(count: int, *, is_last: bool) -> dict[str, list[float]]:
    """Server times of every page, and, for the last database, what is compared with them."""
    from django.test import Client

    from agentversions.models.database import database_now
    from tests.factories import make_user

    reader = make_user("viewer")
    start = time.perf_counter()
    first = fill(reader, count, database_now())[0]
    print(f"{count:,} calls, {AGENTS} agents of {VERSIONS} versions, {DAYS} days: {time.perf_counter() - start:.0f} s")
    client = Client()
    client.force_login(reader)
    cases = {
        "calls, everything": "/calls/",
        "calls of two versions, page 1": f"/calls/?{TWO}",
        "calls of two versions, errors only": f"/calls/?{TWO}&outcome=error",
        "calls of an agent, page 1": "/calls/?agent=agent-0",
        "calls of an agent, page 5,000": f"/calls/?agent=agent-0&before={_key_after(first, DEEP)}",
        "calls of a number": "/calls/?channel=%2B33170000042",
        "analytics, heaviest agent, 90 days": "/analytics/?agent=agent-0&days=90",
    }
    actions: dict[str, Callable[[], Any]] = {name: _asker(client, address) for name, address in cases.items()}
    if is_last:
        actions["Django admin's list of two versions"] = admin_list(first)
    times: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in range(ROUNDS + 1):
        for name, action in actions.items():
            if name.startswith("Django") and round_number > 3:
                continue
            taken, _ = timed(action)
            if round_number:
                times[name].append(taken)
    for name in cases:
        times[f"database: {name}"] = [_in_database(actions[name]) for _ in range(ROUNDS)]
    if is_last:
        _compare_engines(first, times)
        times["export"] = [_export(reader)]
    return times


def _asker(client: Any, address: str) -> Callable[[], Any]:
    def ask() -> Any:
        response = client.get(address)
        assert response.status_code == 200, response.status_code
        return response

    return ask


def _in_database(action: Callable[[], Any]) -> float:
    """The milliseconds that an action waits for the database."""
    from django.db import connection

    waited = 0.0

    def clock(execute: Callable[..., Any], *given: Any) -> Any:
        nonlocal waited
        start = time.perf_counter()
        try:
            return execute(*given)
        finally:
            waited += time.perf_counter() - start

    with connection.execute_wrapper(clock):
        action()
    return waited * 1000


def _compare_engines(agent_id: int, times: dict[str, list[float]]) -> None:
    """The same aggregate by other engines, in the same run; and whether all say the same."""
    from zoneinfo import ZoneInfo

    from django.utils import timezone

    from agentversions.models import Agent
    from monitoring.core.periods import period_of
    from monitoring.services.analytics import figures_of

    agent, today = Agent.objects.get(pk=agent_id), timezone.localdate()
    period = period_of(today - timedelta(days=DAYS), today, ZoneInfo("UTC"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.csv"
        export_calls(path)
        asked: dict[str, Callable[[], list[Any]]] = {
            "figures of all versions": lambda: list(figures_of(agent, period)),
            **engines(path, agent_id),
        }
        answers: dict[str, list[Any]] = {}
        for name, action in asked.items():
            times[name] = []
            for round_number in range(6):
                taken, answers[name] = timed(action)
                if round_number:
                    times[name].append(taken)
    ours = {each.version: each for each in answers.pop("figures of all versions")}
    for rows in answers.values():
        assert len(rows) == len(ours)
        for version, calls, engaged, automated, errors, succeeded, _, length, p50, p95 in rows:
            mine = ours[int(version)]
            names = ("calls", "engaged", "automated", "errors", "succeeded", "duration_ms")
            assert [mine.sums[name] for name in names] == [
                int(value) for value in (calls, engaged, automated, errors, succeeded, length)
            ]
            assert abs(mine.p50 / float(p50) - 1) <= 0.02
            assert abs(mine.p95 / float(p95) - 1) <= 0.02


def _export(reader: Any) -> float:
    """Rows per second of a long export; the memory it takes is printed."""
    from monitoring.core.call_filter import read_filter
    from monitoring.services.exporting import export_calls as export_csv

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, rows = time.perf_counter(), 0
    for rows, _ in enumerate(export_csv(wanted=read_filter({"agent": ["agent-0"]}), actor=reader), 1):
        if rows >= EXPORTED:
            break
    rate = rows / (time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"export of {rows:,} calls as CSV: {rate:,.0f} rows/s, memory grew by {grown:.0f} MB")
    return rate


def _key_after(agent: int, rows: int) -> str:
    """Where the page after so many calls of an agent begins."""
    from monitoring.core.page_key import PageKey
    from monitoring.models import Call

    found = Call.objects.filter(agent_id=agent).order_by("-started_at", "-id")
    call = found[min(rows, found.count() - 60)]
    return quote(str(PageKey(call.started_at, call.id)))


def _judge(count: int, small: dict[str, list[float]], large: dict[str, list[float]]) -> int:
    missed = False

    def verdict(value: float, bar: float, *, at_least: bool = False) -> str:
        nonlocal missed
        is_missed = value < bar if at_least else value > bar
        missed = missed or is_missed
        return f"{'at least' if at_least else 'bar'} {bar:g}: {'MISSED' if is_missed else 'pass'}"

    print(f"\n{count:,} calls; {ROUNDS} rounds; one process, warm; ratio to {count // 10:,} calls")
    for name, values in large.items():
        if name.startswith("database") or name == "export":
            continue
        line = f"{name:<38}{median(values):9.1f} ms ({min(values):.1f}–{max(values):.1f})"
        if f"database: {name}" in large:
            inside = median(large[f"database: {name}"])
            growth = median(values) / median(small[name])
            line += f"  database {inside:.1f} ms  grown {growth:.2f}"
            if name in BARS_MS:
                page, database = BARS_MS[name]
                line += f"  page {verdict(median(values), page)}, database {verdict(inside, database)}"
            if name.startswith("calls of two versions, page"):
                line += f", growth {verdict(growth, GROWTH_BAR)}"
        print(line)
    depth = median(large["calls of an agent, page 5,000"]) / median(large["calls of an agent, page 1"])
    print(f"page 5,000 against page 1: {depth:.2f}  {verdict(depth, DEPTH_BAR)}")
    print(f"export: {verdict(large['export'][0], EXPORT_BAR, at_least=True)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
