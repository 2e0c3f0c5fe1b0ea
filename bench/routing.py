"""`python -m bench.routing`: the decision alone, in this process: which variant a caller gets.

Beside it SHA-256 of the same bytes, the least that any even and repeatable split has to do.
"""

import hashlib
import sys
import time
from collections.abc import Callable
from statistics import median

from channels.core.phone_numbers import read_caller
from channels.core.routes import Follow, Target, WantedVariant, single, split
from channels.core.routing import choose

ROUNDS = 21
CALLERS = 20_000
BAR_US = 15.0
READING = "the same, from a number as it is typed"


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    callers = [f"+3361{number:07d}" for number in range(CALLERS)]
    targets = [Target("clinic", Follow.VERSION, number) for number in range(1, 6)]
    two = split([WantedVariant("A", targets[0], 50_000), WantedVariant("B", targets[1], 50_000)], salt="bench")
    five = split([WantedVariant(f"V{at}", target, 20_000) for at, target in enumerate(targets)], salt="bench")
    one = single(targets[0])
    cases: dict[str, Callable[[str], object]] = {
        "SHA-256, bare": lambda caller: hashlib.sha256(f"bench:{caller}".encode()).digest(),
        "one version": lambda caller: choose(one, caller),
        "A/B test, two variants": lambda caller: choose(two, caller),
        READING: lambda caller: choose(two, str(read_caller(caller, "FR").unit)),
        "A/B test, five variants": lambda caller: choose(five, caller),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, decide in cases.items():
            started = time.perf_counter()
            for caller in callers:
                decide(caller)
            times[name].append((time.perf_counter() - started) / CALLERS * 1e6)
    print(f"{ROUNDS} rounds of {CALLERS:,} callers, alternating")
    for name, values in times.items():
        print(f"{name:<42} {median(values):7.2f} µs ({min(values):.2f}–{max(values):.2f})")
    slowest = max(median(values) for name, values in times.items() if name != READING)
    print(f"bar: {BAR_US:.0f} µs: {'pass' if slowest <= BAR_US else 'MISSED'}")
    return 0 if slowest <= BAR_US else 1


if __name__ == "__main__":
    sys.exit(main())
