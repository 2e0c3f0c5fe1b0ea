"""`python -m bench.resolve`: how fast calls are resolved, beside a bare Django view that returns the same bytes.

Every server runs under the same gunicorn settings on the same machine, in turns; wrk asks with 16 connections.
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

import httpx

from bench.load import Load, ask_with_wrk, find_wrk
from bench.scratch import scratch_database, start_django
from bench.servers import BESIDE, ask_script, environment_for, serve
from config.bootstrap import install_beside

PROJECT = Path(__file__).resolve().parent.parent
CHANNELS = 10_000
ROUNDS = 11
WARM_UP = 4
"""Seconds: every worker has read every number by then."""
BARS = {"runtime": 1.1, "runtime under granian": 4.0}
"""Throughput, as a multiple of the bare Django view's in the same round."""


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    if not find_wrk():
        print("wrk was not found: install it (Debian: apt-get install wrk) and run this again.")
        return 1
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from bench.fleet import fill

    token, numbers = fill(CHANNELS)
    script = folder / "ask.lua"
    script.write_text(ask_script(token, numbers), encoding="utf-8")
    environment = environment_for(folder / "data")
    with serve("config.wsgi", 8301, environment) as address:
        body = httpx.post(f"{address}/api/v1/resolve", json=_question(numbers[0]), headers=_bearer(token), timeout=10)
        assert body.status_code == 200, body.text
        print(f"answer: {len(body.content):,} bytes; configuration: {len(json.dumps(body.json()['configuration'])):,}")
    (folder / "body").write_bytes(body.content)
    bare = {**environment, "BENCH_BODY": str(folder / "body")}
    cases = {
        "bare Django view": ("bench.bare:application", {**bare, "BENCH_DJANGO": "1"}),
        "bare WSGI": ("bench.bare:wsgi", bare),
        "runtime": ("config.wsgi", environment),
        "runtime, its own processes": ("config.runtime_wsgi", environment),
    }
    install_beside("requirements-bench.lock", BESIDE)
    cases["runtime under granian"] = ("granian", environment)
    measured: dict[str, list[Load]] = {name: [] for name in cases}
    with contextlib.ExitStack() as servers:
        addresses = {
            name: servers.enter_context(serve(application, 8310 + at, variables))
            for at, (name, (application, variables)) in enumerate(cases.items())
        }
        for name, address in addresses.items():
            ask_with_wrk(address, script, seconds=WARM_UP if "runtime" in name else 1)
        for round_number in range(ROUNDS):
            for name, address in addresses.items():
                measured[name].append(ask_with_wrk(address, script, seconds=2))
            print(f"round {round_number + 1} of {ROUNDS}", flush=True)
    return _report(measured)


def _report(measured: dict[str, list[Load]]) -> int:
    base = measured["bare Django view"]
    missed = []
    print(f"\n{'server':<28} {'calls/s':>9} {'ratio: median (min–max)':>26} {'p99 ms':>8}  errors")
    for name, loads in measured.items():
        ratios = [load.rate / other.rate for load, other in zip(loads, base, strict=True)]
        errors = sum(load.errors for load in loads)
        words = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        p99 = median(load.p99_ms for load in loads)
        print(f"{name:<28} {median(load.rate for load in loads):>9,.0f} {words:>26} {p99:>8.1f}  {errors}")
        if errors or median(ratios) < BARS.get(name, 0):
            missed.append(name)
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall bars met")
    return 1 if missed else 0


def _question(number: str) -> dict[str, str]:
    return {"number": number, "caller": "+33612345678", "call_id": "c-0"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    sys.exit(main())
