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
FLAGGED = ", with a rollout and 50 flags"
BARE = "bare Django view"
BARS = {"runtime": 1.1, f"runtime{FLAGGED}": 1.1, "runtime under granian": 4.0}
"""Throughput, as a multiple of the bare Django view's that returns the same bytes in the same round."""


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    if not find_wrk():
        print("wrk was not found: install it (Debian: apt-get install wrk) and run this again.")
        return 1
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from bench.flag_mix import fill_flagged
    from bench.fleet import fill

    token, numbers = fill(CHANNELS)
    flagged = fill_flagged(CHANNELS, 2 * CHANNELS)
    scripts = {"": folder / "ask.lua", FLAGGED: folder / "flagged.lua"}
    for kind, asked in (("", numbers), (FLAGGED, flagged)):
        scripts[kind].write_text(ask_script(token, asked), encoding="utf-8")
    environment = environment_for(folder / "data")
    bare = {"": folder / "body", FLAGGED: folder / "flagged"}
    with serve("config.wsgi", 8301, environment) as address:
        for kind, number in (("", numbers[0]), (FLAGGED, flagged[0])):
            body = httpx.post(f"{address}/api/v1/resolve", json=_question(number), headers=_bearer(token), timeout=10)
            assert body.status_code == 200, body.text
            configuration = len(json.dumps(body.json()["configuration"]))
            print(f"answer{kind}: {len(body.content):,} bytes; configuration: {configuration:,}")
            bare[kind].write_bytes(body.content)
    plain, same = ({**environment, "BENCH_BODY": str(path)} for path in bare.values())
    cases = {
        BARE: ("bench.bare:application", {**plain, "BENCH_DJANGO": "1"}),
        "bare WSGI": ("bench.bare:wsgi", plain),
        "runtime": ("config.wsgi", environment),
        "runtime, its own processes": ("config.runtime_wsgi", environment),
    }
    install_beside("requirements-bench.lock", BESIDE)
    cases["runtime under granian"] = ("granian", environment)
    cases[f"{BARE}{FLAGGED}"] = ("bench.bare:application", {**same, "BENCH_DJANGO": "1"})
    again = {f"{name}{FLAGGED}": name for name in ("runtime", "runtime, its own processes")}
    measured: dict[str, list[Load]] = {name: [] for name in cases}
    with contextlib.ExitStack() as servers:
        addresses = {
            name: servers.enter_context(serve(application, 8310 + at, variables))
            for at, (name, (application, variables)) in enumerate(cases.items())
        }
        # The same processes answer both kinds of numbers.
        addresses |= {name: addresses[other] for name, other in again.items()}
        measured |= {name: [] for name in again}
        for name, address in addresses.items():
            ask_with_wrk(address, scripts[_kind(name)], seconds=WARM_UP if "runtime" in name else 1)
        for round_number in range(ROUNDS):
            for name, address in addresses.items():
                measured[name].append(ask_with_wrk(address, scripts[_kind(name)], seconds=2))
            print(f"round {round_number + 1} of {ROUNDS}", flush=True)
    return _report(measured)


def _report(measured: dict[str, list[Load]]) -> int:
    missed = []
    print(f"\n{'server':<56} {'calls/s':>9} {'ratio: median (min–max)':>26} {'p99 ms':>8}  errors")
    for name, loads in measured.items():
        base = measured[f"{BARE}{_kind(name)}"]
        ratios = [load.rate / other.rate for load, other in zip(loads, base, strict=True)]
        errors = sum(load.errors for load in loads)
        words = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        p99 = median(load.p99_ms for load in loads)
        print(f"{name:<56} {median(load.rate for load in loads):>9,.0f} {words:>26} {p99:>8.1f}  {errors}")
        if errors or median(ratios) < BARS.get(name, 0):
            missed.append(name)
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall bars met")
    return 1 if missed else 0


def _kind(name: str) -> str:
    return FLAGGED if name.endswith(FLAGGED) else ""


def _question(number: str) -> dict[str, str]:
    return {"number": number, "caller": "+33612345678", "call_id": "c-0"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    sys.exit(main())
