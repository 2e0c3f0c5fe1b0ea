"""`python -m bench.canary [runs]`: does the judge of canary rollouts keep what it promises? Seeded rollouts, judged by
the product's own evaluator every 50 calls; 2,000 runs per cell unless told otherwise. With few runs a miss may be
chance."""

import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from statistics import median, quantiles

from bench.canary_streams import Outcome, Stream, run
from channels.core.rollout_judging import Rule
from monitoring.core.canary_decision import Action
from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_guardrails import harmful
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.canary_planning import plan
from monitoring.core.canary_policy import PRESETS, MeanGuardrail, Step
from monitoring.core.canary_verdict import judge
from monitoring.core.sequential import Arm, Sums

RUNS = 2_000
RATES = (0.02, 0.05, 0.10)
WORKERS = 2
CHEAP = ("simple", "3.0")
MORE = 5
"""Times as many runs of the rollouts that end soon, whose bars are held to a point or two."""
SIMPLE = {"as written": ((9.6, 22.9, 33.7), (82, 62, 41)), "with 100 canary calls": ((31, 22, 12), (26, 9, 1.5))}
BALANCED = PRESETS["balanced"]
ONE_STEP = replace(BALANCED, steps=(Step(10_000, 3.0, 0, 0),), rule=Rule.THRESHOLD)
LOST = {"30 % in the canary": (0.3, 0.0), "30 % in both": (0.3, 0.3), "all in both": (1.0, 1.0)}
LOST |= {"all in the canary": (1.0, 0.0)}
WITHIN = {2.0: {0.05: 950, 0.10: 450, 0.02: 2_500}, 3.0: {0.05: 240, 0.10: 115, 0.02: 600}}


@dataclass(frozen=True)
class Line:
    """One bar: what was found, and whether it is kept; `is_kept` is None where there is none."""

    promise: str
    found: str
    bar: str = ""
    is_kept: bool | None = None


def _constant(rate: float, at: int) -> float:
    return rate


def _drifting(at: int) -> float:
    """From 2 to 8 % while the share ramps."""
    return 0.02 + 0.06 * min(at / 8_000, 1.0)


def _streams() -> Iterator[Stream]:
    for p in RATES:
        rate = partial(_constant, p)
        yield Stream(f"fixed {p}", rate, most=10_000, is_fixed=True)
        yield Stream(f"repeat {p}", rate, most=10_000, callers=500)
        yield Stream(f"1.0 {p}", rate, most={0.02: 20_000, 0.05: 10_000, 0.10: 5_500}[p])
        for ratio in (1.5, 2.0, 3.0):
            yield Stream(f"{ratio} {p}", rate, ratio=ratio)
        for least, name in ((1, "as written"), (100, "with 100 canary calls")):
            simple = replace(ONE_STEP, least_sample=least)
            for ratio in (1.0, 2.0):
                yield Stream(f"simple {name} {ratio} {p}", rate, ratio=ratio, policy=simple, most=10_000)
    yield Stream("drift", _drifting, most=10_000, ramp=(2_000, 5_000), is_fixed=True)
    yield Stream("broken", partial(_constant, 0.05), ratio=20.0, every=1)
    for name, lost in LOST.items():
        for ratio in (1.0, 2.0):
            yield Stream(f"lost {name} {ratio}", partial(_constant, 0.05), ratio=ratio, lost=lost, most=10_000)
    for name in ("fast", "strict"):
        yield Stream(f"preset {name}", partial(_constant, 0.05), policy=PRESETS[name])


STREAMS = {stream.name: stream for stream in _streams()}


def outcome(name: str, at: int) -> Outcome:
    """The run of that number, in any process."""
    return run(STREAMS[name], f"{name} {at}")


def main() -> int:
    """Run everything and print the table; 1 when a bar is missed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    lines: list[Line] = []
    print(f"{runs:,} runs per cell", flush=True)
    with ProcessPoolExecutor(WORKERS) as pool:
        for line in _lines(pool, runs):
            verdict = {True: "pass", False: "MISSED", None: ""}[line.is_kept]
            print(f"{line.promise:<76} {line.found:>34} {line.bar:>12}  {verdict}", flush=True)
            lines.append(line)
    return 1 if any(line.is_kept is False for line in lines) else 0


def _lines(pool: ProcessPoolExecutor, runs: int) -> Iterator[Line]:
    found: dict[str, list[Outcome]] = {}

    def of(name: str) -> list[Outcome]:
        if name not in found:
            count = runs * (MORE if name.startswith(CHEAP) else 1)
            found[name] = list(pool.map(partial(outcome, name), range(count), chunksize=max(count // 50, 1)))
        return found[name]

    yield from _identical(of)
    yield from _worse(of)
    yield from _undisturbed(of)
    yield _average_is_not_called_worse(runs)
    yield from _judged()
    yield from _simple(of)


Of = Callable[[str], list[Outcome]]


def _part(outcomes: list[Outcome], is_so: Callable[[Outcome], bool]) -> float:
    return sum(map(is_so, outcomes)) / len(outcomes)


def _is(*actions: Action) -> Callable[[Outcome], bool]:
    return lambda one: one.action in actions


def _at_most(promise: str, outcomes: list[Outcome], action: Action, bar: float) -> Line:
    part = _part(outcomes, _is(action))
    return Line(promise, f"{part:.2%}", f"≤ {bar:.1%}", part <= bar)


def _identical(of: Of) -> Iterator[Line]:
    for p in RATES:
        for name, words in (("fixed", "10 % share, never promoted"), ("1.0", "share grows"), ("repeat", "500 callers")):
            promise = f"C1 identical at {p:.0%}, {words}: rolled back"
            yield _at_most(promise, of(f"{name} {p}"), Action.ROLL_BACK, 0.01)
    yield _at_most("C1 identical, 2 → 8 % while the share ramps: rolled back", of("drift"), Action.ROLL_BACK, 0.01)


def _worse(of: Of) -> Iterator[Line]:
    for ratio, name, bar in ((2.0, "C2", 0.005), (1.5, "C3", 0.05)):
        for p in RATES:
            yield _at_most(f"{name} {ratio:g}× worse at {p:.0%}: promoted", of(f"{ratio} {p}"), Action.PROMOTE, bar)
    for ratio, within in WITHIN.items():
        for p, most in within.items():
            name = (
                f"{'C2' if ratio == 2 else 'C4'} {ratio:g}× worse at {p:.0%}: rolled back within {most:,} canary calls"
            )
            yield _within(name, of(f"{ratio} {p}"), most)
    yield _within("C4 completely broken, each call looked at: rolled back within 10 canary calls", of("broken"), 10)


def _within(promise: str, outcomes: list[Outcome], most: int) -> Line:
    part = _part(outcomes, lambda one: one.action == Action.ROLL_BACK and one.canary <= most)
    taken = [one.canary if one.action == Action.ROLL_BACK else math.inf for one in outcomes]
    found = f"{part:.1%} (median {median(taken):,.0f}, 95 % {quantiles(taken, n=20)[-1]:,.0f})"
    return Line(promise, found, "≥ 95 %", part >= 0.95)


def _undisturbed(of: Of) -> Iterator[Line]:
    for p, most in ((0.05, "10,000"), (0.10, "5,500")):
        outcomes = of(f"1.0 {p}")
        part = _part(outcomes, _is(Action.PROMOTE))
        yield Line(f"C5 identical at {p:.0%}: promoted within {most} calls", f"{part:.1%}", "≥ 90 %", part >= 0.9)
        rest = _part(outcomes, _is(Action.CONTINUE, Action.ADVANCE))
        held = f"{_part(outcomes, _is(Action.HOLD)):.1%} held, {rest:.1%} went on"
        yield Line(f"C5 identical at {p:.0%}: undecided runs end in hold", held, "all", rest == 0)
        paused = _part(outcomes, _is(Action.UNHEALTHY))
        yield Line(f"   identical at {p:.0%}: paused as unhealthy, although nothing is wrong", f"{paused:.2%}")
    for name in LOST:
        for ratio in (1.0, 2.0):
            promise = f"C6 ends lost, {name}, r = {ratio:g}: promoted"
            yield _at_most(promise, of(f"lost {name} {ratio}"), Action.PROMOTE, 0.0)
    for name, stream in (("balanced", "1.0 0.05"), ("fast", "preset fast"), ("strict", "preset strict")):
        planned = plan(PRESETS[name], failure_rate=0.05, calls_a_day=200)
        taken = sorted(one.calls if one.action == Action.PROMOTE else math.inf for one in of(stream))
        calls = f"{taken[len(taken) // 2]:,.0f}, 95 % {taken[int(0.95 * len(taken))]:,.0f}"
        said = f"{20 * planned.failures:,}, 95 % {20 * planned.failures_late:,}"
        yield Line(f"   planner, {name} preset at 5 %: calls until promoted (planned {said})", calls)


def _average_is_not_called_worse(runs: int) -> Line:
    """Lognormal seconds, identical, without a tolerance, looked at every 50 of 5,000 calls at a share of 10 %."""
    policy = replace(BALANCED, means=(MeanGuardrail("duration", tolerance=0.0),))
    count = 0
    for at in range(runs):
        chance, sums = random.Random(f"duration {at}"), [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
        for call in range(1, 5_001):
            into, seconds = sums[chance.random() >= 0.1], chance.lognormvariate(4.7, 0.8)
            into[0], into[1], into[2] = into[0] + 1, into[1] + seconds, into[2] + seconds * seconds
            if call % 50 == 0:
                canary, stable = (Arm(Sums(n, x, xx, xx, x, n), {"10": (n, x)}) for n, x, xx in sums)
                seen = Observations(step=0, seconds_in_step=0, seconds=0, means={"duration": (canary, stable)})
                if harmful(policy, seen):
                    count += 1
                    break
    promise = "   guardrail, identical average durations: ever called worse"
    return Line(promise, f"{count / runs:.2%}", "≤ 0.5 %", count <= 0.005 * runs)


def _judged() -> Iterator[Line]:
    chance, times, differing = random.Random(7), [], 0
    for _ in range(500):
        counts = {share: (chance.randrange(3_000), chance.randrange(30_000)) for share in (10_000, 25_000, 50_000)}
        verdicts = []
        for order in (list(counts), list(reversed(counts))):
            labels = Labels.of({share: counts[share] for share in order})
            calls = ArmCalls(90_000, 90_000, 5_000)
            seen = Observations(2, 9_000, 9_000, calls, calls, labels, labels, labels, labels)
            started = time.perf_counter()
            verdict = judge(BALANCED, seen)
            times.append(time.perf_counter() - started)
            verdicts.append(verdict.as_json())
        differing += verdicts[0] != verdicts[1]
    yield Line("C7 same input, same bytes: pairs that differ", f"{differing} of 500", "0", differing == 0)
    found = f"{1e6 * median(times):,.0f} µs (95 % {1e6 * quantiles(times, n=20)[-1]:,.0f} µs)"
    yield Line(
        "C7 one evaluation, tens of thousands of failures at three shares", found, "≤ 1 ms", median(times) <= 1e-3
    )


def _simple(of: Of) -> Iterator[Line]:
    for name, (rolled_back, promoted) in SIMPLE.items():
        for ratio, action, known in ((1.0, Action.ROLL_BACK, rolled_back), (2.0, Action.PROMOTE, promoted)):
            parts = [100 * _part(of(f"simple {name} {ratio} {p}"), _is(action)) for p in RATES]
            is_near = all(abs(part - each) <= 2 for part, each in zip(parts, known, strict=True))
            what = "identical rolled back" if ratio == 1 else "2× worse promoted"
            found, bar = (" / ".join(f"{part:.3g}" for part in row) for row in (parts, known))
            yield Line(f"C8 simple rule {name}: {what} at 2 / 5 / 10 %", f"{found} %", f"{bar} ± 2", is_near)


if __name__ == "__main__":
    sys.exit(main())
