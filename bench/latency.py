"""`python -m bench.latency`: how long calls wait at half of the greatest load, while somebody hammers the pages.

Once inside the application, once with the runtime as a process group of its own and the pages beside it at a lower
priority, as docs/operations.md says. Sixteen connections pause between
their questions as long as half the load asks for; two more ask for pages without a pause.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from math import inf, isinf
from pathlib import Path
from statistics import median

from bench.bare_view import bare_environment
from bench.load import CONNECTIONS, ask_with_wrk, find_wrk, hammer
from bench.scratch import scratch_database, start_django
from bench.servers import ask_script, environment_for, serve

CHANNELS = 10_000
ROUNDS = 5
SECONDS = 5


@dataclass(frozen=True)
class Case:
    """Where calls and pages are answered, and the p99 in ms that is allowed."""

    name: str
    calls: str
    is_hammered: bool
    bar_ms: float


CASES = (
    Case("inside the application, nobody else", "config.wsgi", is_hammered=False, bar_ms=10),
    Case("inside the application, pages hammered", "config.wsgi", is_hammered=True, bar_ms=10),
    Case("bare WSGI beside the pages (WEB_NICE=10), hammered", "bench.bare:wsgi", is_hammered=True, bar_ms=inf),
    Case("own process group, pages (WEB_NICE=10) hammered", "config.runtime_wsgi", is_hammered=True, bar_ms=5),
)


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    if not find_wrk():
        print("wrk was not found: install it (Debian: apt-get install wrk) and run this again.")
        return 1
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from bench.fleet import fill, session_cookie

    token, numbers = fill(CHANNELS)
    cookie = session_cookie()
    flat_out, paced = folder / "flat_out.lua", folder / "paced.lua"
    flat_out.write_text(ask_script(token, numbers), encoding="utf-8")
    environment = environment_for(folder / "data")
    print(f"{ROUNDS} rounds of {SECONDS} s; {os.cpu_count()} cores carry servers, PostgreSQL and wrk")
    print(f"{'case':<54} {'calls/s':>8} {'p50 ms':>8} {'p99 ms: median (min–max)':>26} {'pages/s':>8}  bar")
    missed = False
    nice = {**environment, "WEB_NICE": "10"}
    with (
        serve("config.wsgi", 8330, environment) as both,
        serve("config.runtime_wsgi", 8331, environment) as own,
        serve("config.wsgi", 8332, nice) as pages,
        serve("bench.bare:wsgi", 8333, bare_environment(environment, own, token, numbers[0], folder)) as bare,
    ):
        addresses = {"config.wsgi": both, "config.runtime_wsgi": own, "bench.bare:wsgi": bare}
        hammered = {"config.wsgi": both, "config.runtime_wsgi": pages, "bench.bare:wsgi": pages}
        for address in addresses.values():
            ask_with_wrk(address, flat_out, seconds=4)
        for case in CASES:
            address = addresses[case.calls]
            most = median(ask_with_wrk(address, flat_out, seconds=2).rate for _ in range(3))
            paced.write_text(ask_script(token, numbers, pause_ms=1000 * CONNECTIONS / (most / 2)), encoding="utf-8")
            loads, rates = [], []
            for _ in range(ROUNDS):
                with hammer(hammered[case.calls], cookie, seconds=SECONDS + 2, is_on=case.is_hammered) as rate:
                    loads.append(ask_with_wrk(address, paced, seconds=SECONDS))
                rates.append(rate())
            slow = [load.p99_ms for load in loads]
            words = f"{median(slow):.1f} ({min(slow):.1f}–{max(slow):.1f})"
            is_missed = median(slow) > case.bar_ms or any(load.errors for load in loads)
            missed = missed or is_missed
            print(
                f"{case.name:<54} {median(load.rate for load in loads):>8,.0f} "
                f"{median(load.p50_ms for load in loads):>8.1f} {words:>26} {median(rates):>8.0f}  "
                f"{_verdict(case, is_missed=is_missed)}",
                flush=True,
            )
    return 1 if missed else 0


def _verdict(case: Case, *, is_missed: bool) -> str:
    return "" if isinf(case.bar_ms) else f"{case.bar_ms:.0f} ms {'MISSED' if is_missed else 'pass'}"


if __name__ == "__main__":
    sys.exit(main())
