"""`python -m bench.sequential [scale]`: do the statistics of A/B tests keep what they promise? Seeded simulations, run
through the product's own functions, with somebody looking at every call (or day); `scale` multiplies the runs."""

import math
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles

from monitoring.core.comparing import Verdict
from monitoring.core.sequential import Arm, Sums, mean_difference, rate_difference, rate_evidence, sums_of_rate
from monitoring.core.sequential_planning import calls_needed
from monitoring.core.sequential_ratio import BROKEN, Stratum, check_split, split_evidence

RATES = (0.02, 0.1, 0.5, 0.9)
CALLS = 5_000
BAR = math.log(20)
LOG_BROKEN = math.log(BROKEN)
SHARES = {"Control": 50_000, "Test": 50_000}


@dataclass(frozen=True)
class Line:
    """One promise: what was found, and the bar it must keep."""

    promise: str
    found: str
    bar: str
    is_kept: bool


def main() -> int:
    """Run everything and print the table; 1 when a bar is missed."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    lines = list(_lines(scale))
    width = max(len(line.promise) for line in lines)
    for line in lines:
        print(f"{line.promise:<{width}}  {line.found:>24}  {line.bar:>12}  {'pass' if line.is_kept else 'MISSED'}")
    return 0 if all(line.is_kept for line in lines) else 1


def _lines(scale: float) -> Iterator[Line]:
    few, many = round(400 * scale), round(2_000 * scale)
    for rate in RATES:
        yield _at_most(f"rate {rate}: ever outside, every call to {CALLS:,}", 2 * few, 0.05, _rate_left_out(rate))
    for rate, share in ((0.02, 0.5), (0.1, 0.5), (0.5, 0.5), (0.9, 0.5), (0.02, 0.2), (0.9, 0.2)):
        name = f"A=A at {rate}, share {share:.0%}: 0 ever outside, every call to {CALLS:,}"
        yield _at_most(name, round(200 * scale), 0.05, _difference_left_out(rate, share))
    yield _at_most("A=A durations (lognormal): ever clear of chance, every call", few // 4, 0.05, _duration_clear)
    for rate in RATES:
        yield _at_most(f"A=A at {rate}, 60 days of 80 calls: ever clear", many, 0.05, _clear_by_day(rate))
    yield _at_most("A=A, callers who call 4 times: ever clear", many // 2, 0.05, _clear_with_repeat_callers)
    yield _at_most("split right, every caller to 3,000: ever broken", 3 * many, 0.001, _split_broken)
    yield _at_most("split right, shares change twice: ever broken", many, 0.001, _changing_split_broken)
    yield _until_found("55 : 45 instead of even: callers until broken", round(200 * scale), 0.45, 2_500, 6_000)
    yield _until_found("53 : 47 instead of even: callers until broken", round(60 * scale), 0.47, 8_000, 16_000)
    yield _power(0.72, 0.10, few)
    yield _power(0.10, 0.05, few)


def _at_most(promise: str, runs: int, bar: float, happens: Callable[[random.Random], bool]) -> Line:
    """How often something happens. Its bar is kept when a true share of `bar` could have come out so high (2.3 σ)."""
    chance = random.Random(promise)
    count = sum(happens(chance) for _ in range(runs))
    allowed = bar * runs + 2.33 * math.sqrt(runs * bar * (1 - bar))
    return Line(promise, f"{count / runs:.2%} of {runs:,}", f"≤ {bar:.1%}", count <= allowed)


def _rate_left_out(rate: float) -> Callable[[random.Random], bool]:
    def happens(chance: random.Random) -> bool:
        count = 0
        for n in range(1, CALLS + 1):
            count += chance.random() < rate
            if rate_evidence(count, n, rate) >= BAR:
                return True
        return False

    return happens


def _difference_left_out(rate: float, share: float) -> Callable[[random.Random], bool]:
    def happens(chance: random.Random) -> bool:
        counts = [0, 0, 0, 0]
        for _ in range(CALLS):
            place = 2 * (chance.random() < share)
            counts[place] += 1
            counts[place + 1] += chance.random() < rate
            said = rate_difference(_arm(counts[3], counts[2]), _arm(counts[1], counts[0]))
            if said is not None and (said.low > 0 or said.high < 0):
                return True
        return False

    return happens


def _duration_clear(chance: random.Random) -> bool:
    sums = [[0, 0.0, 0.0], [0, 0.0, 0.0]]
    for _ in range(CALLS):
        values, seconds = sums[chance.random() < 0.5], chance.lognormvariate(4.7, 0.8)
        values[0], values[1], values[2] = values[0] + 1, values[1] + seconds, values[2] + seconds * seconds
        said = mean_difference(*(Arm(Sums(n, x, xx, xx, x, n), {"": (n, x)}) for n, x, xx in sums))
        if said is not None and said.verdict == Verdict.CLEAR:
            return True
    return False


def _clear_by_day(rate: float) -> Callable[[random.Random], bool]:
    def happens(chance: random.Random) -> bool:
        counts = [0, 0, 0, 0]
        for _ in range(60):
            for _ in range(80):
                place = 2 * (chance.random() < 0.5)
                counts[place] += 1
                counts[place + 1] += chance.random() < rate
            if _is_clear(_arm(counts[1], counts[0]), _arm(counts[3], counts[2])):
                return True
        return False

    return happens


def _clear_with_repeat_callers(chance: random.Random) -> bool:
    """Of each caller's calls all end alike with a chance of one half: the calls are far from independent."""
    sums = [[0.0] * 5, [0.0] * 5]
    for _ in range(40):
        for _ in range(20):
            n = 1 + chance.randrange(7)
            alike = chance.random() < 0.7
            x = n * alike if chance.random() < 0.5 else sum(chance.random() < 0.7 for _ in range(n))
            into = sums[chance.random() < 0.5]
            for at, value in enumerate((n, x, x * x, x * n, n * n)):
                into[at] += value
        arms = [Arm(Sums(n, x, x, xx, xm, mm), {"": (n, x)}) for n, x, xx, xm, mm in sums]
        if _is_clear(arms[0], arms[1]):
            return True
    return False


def _split_broken(chance: random.Random) -> bool:
    counts = {"Control": 0, "Test": 0}
    for _ in range(3_000):
        counts["Test" if chance.random() < 0.5 else "Control"] += 1
        if split_evidence(Stratum(counts, SHARES)) >= LOG_BROKEN:
            return True
    return False


def _changing_split_broken(chance: random.Random) -> bool:
    strata = []
    for share in (0.01, 0.1, 0.5):
        counts = {"Control": 0, "Test": 0}
        strata.append(Stratum(counts, {"Control": 1 - share, "Test": share}))
        for at in range(600):
            counts["Test" if chance.random() < share else "Control"] += 1
            if at % 5 == 0 and check_split(strata).is_broken:
                return True
    return False


def _until_found(promise: str, runs: int, share: float, middle: int, most: int) -> Line:
    chance, needed = random.Random(promise), []
    for _ in range(runs):
        counts = {"Control": 0, "Test": 0}
        while split_evidence(Stratum(counts, SHARES)) < LOG_BROKEN:
            counts["Test" if chance.random() < share else "Control"] += 1
        needed.append(sum(counts.values()))
    late = quantiles(needed, n=20)[-1]
    found = f"{median(needed):,.0f} (95 %: {late:,.0f})"
    return Line(promise, found, f"{middle:,} ({most:,})", median(needed) <= middle and late <= most)


def _power(rate: float, difference: float, runs: int) -> Line:
    """In how many tests a true difference is told by the planned number of calls, looked at every hundredth part."""
    needed = calls_needed(rate, difference, [0.5, 0.5]) or 0
    chance, told = random.Random(str(difference)), 0
    for _ in range(runs):
        counts = [0, 0, 0, 0]
        for at in range(1, needed + 1):
            place = 2 * (chance.random() < 0.5)
            counts[place] += 1
            counts[place + 1] += chance.random() < (rate + difference if place else rate)
            if at % max(needed // 100, 1) == 0 and _is_clear(_arm(counts[3], counts[2]), _arm(counts[1], counts[0])):
                told += 1
                break
    promise = f"{rate:.0%} against {rate + difference:.0%}: told by the planned {needed:,} calls"
    return Line(promise, f"{told / runs:.1%} of {runs:,}", "≥ 80 %", told / runs >= 0.8)


def _arm(count: int, n: int) -> Arm:
    return Arm(sums_of_rate(count, n), {"": (n, count)})


def _is_clear(one: Arm, other: Arm) -> bool:
    said = rate_difference(one, other)
    return said is not None and said.verdict == Verdict.CLEAR


if __name__ == "__main__":
    sys.exit(main())
