"""`python -m bench.ingestion`: how fast call records come in over HTTP and from files, and what callers hear meanwhile.

A server of two workers with 1,000 numbers on one agent. Half of the records carry the resolution that `/resolve` gave,
half state agent and version. The client that sends them runs on the same cores.
"""

import io
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.load import ask_with_wrk, find_wrk
from bench.scratch import scratch_database, start_django
from bench.servers import ask_script, environment_for, serve

NUMBERS, PER_LIST = 1_000, 500
LISTS, SINGLES, IMPORTED = 60, 1_500, 60_000
LISTS_BAR, SINGLES_BAR, IMPORT_BAR = 2_500, 350, 20_000
ROUNDS, SECONDS = 5, 4
_ids = count()


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from agentversions.models import User
    from agentversions.services.tokens import make_token
    from bench.fleet import fill

    token, numbers = fill(NUMBERS)
    admin = User.objects.get(roles__contains=["admin"])
    sender = make_token(name="calls", roles=["viewer"], scopes=["calls"], owner=admin, actor=admin).secret
    rates: dict[str, tuple[float, float]] = {}
    environment = environment_for(folder / "data")
    with (
        serve("config.wsgi", 8380, environment) as address,
        serve("config.runtime_wsgi", 8381, environment) as runtime,
    ):
        resolutions = _resolve(address, token, numbers)
        _send_lists(address, sender, resolutions, lists=4)
        rates["lists of 500, two workers"] = (_send_lists(address, sender, resolutions, lists=LISTS), LISTS_BAR)
        rates["single posts, two workers"] = (_send_singles(address, sender, resolutions), SINGLES_BAR)
        heard: dict[str, tuple[list[float], list[float]]] = {}
        for name, asked in {"in the same workers": address, "in its own processes": runtime}.items():
            if find_wrk():
                script = folder / "ask.lua"
                script.write_text(ask_script(token, numbers, pause_ms=20), encoding="utf-8")
                heard[name] = _listen(asked, script, lambda over: _feed(address, sender, resolutions, over))
    rates["import_calls, one process"] = (_import(folder), IMPORT_BAR)
    _prove()
    missed = False
    for name, (rate, bar) in rates.items():
        missed = missed or rate < bar
        print(f"{name:<34}{rate:>9,.0f} calls/s   bar {bar:,}: {'pass' if rate >= bar else 'MISSED'}")
    for name, (alone, during) in heard.items():
        quiet, busy = (f"{median(each):.1f} ms ({min(each):.1f}–{max(each):.1f})" for each in (alone, during))
        ratio = median(during) / median(alone)
        print(f"resolve {name}: p99 alone {quiet}, while {LISTS_BAR // 2:,} calls/s come in {busy}: ratio {ratio:.2f}")
    return 1 if missed else 0


def _resolve(address: str, token: str, numbers: list[str]) -> list[str]:
    """Resolutions of as many calls as there are numbers."""
    found = []
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        for at, number in enumerate(numbers):
            body = {"number": number, "caller": f"+3361{at:07d}", "call_id": f"r-{at}"}
            found.append(client.post("/api/v1/resolve", json=body).json()["resolution"])
    return found


def _records(resolutions: list[str]) -> Iterator[dict[str, Any]]:
    """Records of other calls each time, spread over the last day."""
    now = datetime.now(UTC)
    for at in _ids:
        known = (
            {"resolution": resolutions[at % len(resolutions)]}
            if at % 2 and resolutions
            else {"agent": "bench", "version": 1, "called": f"+33170{at % NUMBERS:06d}"}
        )
        yield {
            **known,
            "id": f"bench-{at}",
            "started_at": (now - timedelta(seconds=at * 37 % 86_400)).isoformat(),
            "duration_s": 30 + at % 400,
            "caller": f"+3361{at % 9_000_000:07d}",
            "engaged": True,
            "transferred": at % 6 == 0,
            "evaluation": "success",
            "sentiment": "neutral",
            "ended_reason": "caller hung up",
            "latency_ms": 400 + at % 300,
            "cost": "0.2",
            "currency": "EUR",
        }


def _send_lists(address: str, token: str, resolutions: list[str], *, lists: int) -> float:
    records = _records(resolutions)
    bodies = [json.dumps([next(records) for _ in range(PER_LIST)]).encode() for _ in range(lists)]
    return PER_LIST * _send(address, token, bodies, clients=2)


def _send_singles(address: str, token: str, resolutions: list[str]) -> float:
    records = _records(resolutions)
    return _send(address, token, [json.dumps(next(records)).encode() for _ in range(SINGLES)], clients=4)


def _send(address: str, token: str, bodies: list[bytes], *, clients: int) -> float:
    """Bodies per second."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(bodies: list[bytes]) -> None:
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            for body in bodies:
                answer = client.post("/api/v1/calls", content=body)
                assert answer.status_code in {200, 201}, answer.text[:500]

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(post, [bodies[at::clients] for at in range(clients)]))
    return len(bodies) / (time.perf_counter() - start)


def _listen(address: str, script: Path, feed: Callable[[threading.Event], None]) -> tuple[list[float], list[float]]:
    """The p99 of moderate questions, in turn alone and while calls come in, in ms."""
    alone, during = [], []
    for _ in range(ROUNDS):
        alone.append(ask_with_wrk(address, script, seconds=SECONDS).p99_ms)
        over = threading.Event()
        feeder = threading.Thread(target=feed, args=(over,))
        feeder.start()
        during.append(ask_with_wrk(address, script, seconds=SECONDS).p99_ms)
        over.set()
        feeder.join()
    return alone, during


def _feed(address: str, token: str, resolutions: list[str], over: threading.Event) -> None:
    pause = PER_LIST / (LISTS_BAR / 2)
    due = time.perf_counter()
    while not over.is_set():
        _send_lists(address, token, resolutions, lists=1)
        due += pause
        over.wait(max(due - time.perf_counter(), 0))


def _import(folder: Path) -> float:
    from django.core.management import call_command

    path = folder / "calls.ndjson"
    records = _records([])
    path.write_text("\n".join(json.dumps(next(records)) for _ in range(IMPORTED)), encoding="utf-8")
    start = time.perf_counter()
    call_command("import_calls", str(path), stdout=io.StringIO())
    return IMPORTED / (time.perf_counter() - start)


def _prove() -> None:
    """Every figure equals the calls after all that."""
    from monitoring.services.checking import find_differences

    differences = find_differences()
    assert not differences, differences[:3]


if __name__ == "__main__":
    sys.exit(main())
