"""`python -m bench.scale`: whether calls become slower, or workers greater, with the number of channels.

The same thousands of numbers are asked while 10, 10,000 and 1,000,000 channels exist, then all of them in turn; the
resident memory of the workers is read before and after.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.load import Load, ask_with_wrk, find_wrk
from bench.scratch import scratch_database, start_django
from bench.servers import ask_script, environment_for, memory_of_workers, serve

COUNTS = (10, 10_000, 1_000_000)
ASKED = 10_000
"""Numbers in use: callers reach a part of a great fleet in any minute."""
ROUNDS = 9
SECONDS = 3
TOLERANCE = 0.10
MEMORY_MB = 64
"""The bound of a worker's memory here (RUNTIME_MEMORY_MB): small, so that a million channels cannot fit."""


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    if not find_wrk():
        print("wrk was not found: install it (Debian: apt-get install wrk) and run this again.")
        return 1
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        return _run(Path(folder), stack)


def _run(folder: Path, stack: ExitStack) -> int:
    from bench.fleet import add_channels, fill

    measured: dict[int, list[Load]] = {}
    stack.enter_context(scratch_database())
    token, numbers = fill(COUNTS[0])
    cases: dict[int, tuple[str, Path]] = {}
    for at, count in enumerate(COUNTS):
        numbers += add_channels(len(numbers), count)
        script = folder / f"{count}.lua"
        script.write_text(ask_script(token, numbers[: min(count, ASKED)]), encoding="utf-8")
        environment = {**environment_for(folder / str(count)), "RUNTIME_MEMORY_MB": str(MEMORY_MB)}
        # Each count with servers of its own; those of the smaller counts know nothing of the numbers that follow.
        address = stack.enter_context(serve("config.runtime_wsgi", 8350 + at, environment))
        ask_with_wrk(address, script, seconds=6)
        cases[count] = (address, script)
    for _ in range(ROUNDS):
        for count, (address, script) in cases.items():
            measured.setdefault(count, []).append(ask_with_wrk(address, script, seconds=SECONDS))
    address, _ = cases[COUNTS[-1]]
    script = folder / "all.lua"
    script.write_text(ask_script(token, numbers), encoding="utf-8")
    resident = {count: memory_of_workers(address) for count, (address, _) in cases.items()}
    everything = [ask_with_wrk(address, script, seconds=SECONDS) for _ in range(ROUNDS)]
    return _report(measured, resident, everything, memory_of_workers(address))


def _report(
    measured: dict[int, list[Load]], resident: dict[int, float], everything: list[Load], resident_after_all: float
) -> int:
    base = measured[COUNTS[0]]
    missed = []
    print(f"\n{'channels':<28} {'calls/s':>9} {'ratio: median (min–max)':>26} {'p99 ms':>8} {'worker':>10}")
    for count, loads in measured.items():
        ratios = [load.rate / other.rate for load, other in zip(loads, base, strict=True)]
        slower = [load.p99_ms / other.p99_ms for load, other in zip(loads, base, strict=True)]
        words = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        p99 = median(load.p99_ms for load in loads)
        rate = median(load.rate for load in loads)
        print(f"{count:<28,} {rate:>9,.0f} {words:>26} {p99:>8.1f} {resident[count]:>7.0f} MB")
        if median(ratios) < 1 - TOLERANCE or median(slower) > 1 + TOLERANCE or any(load.errors for load in loads):
            missed.append(f"{count:,} channels")
    rate, p99 = median(load.rate for load in everything), median(load.p99_ms for load in everything)
    print(f"{'all of the million in turn':<28} {rate:>9,.0f} {'':>26} {p99:>8.1f} {resident_after_all:>7.0f} MB")
    if max(*resident.values(), resident_after_all) - resident[COUNTS[0]] > MEMORY_MB:
        missed.append("memory")
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall bars met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
