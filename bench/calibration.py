"""How benches measure and print, and the bare line difference that makes runs on different machines comparable."""

import difflib
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Milliseconds over some repeats."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Result:
    """One line of a bench's table; `bar` is the highest median allowed in ms, None where nothing is asked."""

    case: str
    timing: Timing
    bar: float | None = None

    @property
    def is_passed(self) -> bool:
        """True when the bar is met or there is none."""
        return self.bar is None or self.timing.median <= self.bar


def measure(action: Callable[[], object], *, repeats: int) -> Timing:
    """Run the action once to warm up, then `repeats` times."""
    action()
    samples: list[float] = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        action()
        samples.append((time.perf_counter() - start) * 1000)
    return Timing(statistics.median(samples), min(samples), max(samples))


def bare_line_diff(base: str, head: str) -> Callable[[], object]:
    """The calibration: difflib on whole lines, nothing else."""
    base_lines, head_lines = base.splitlines(), head.splitlines()
    return lambda: difflib.SequenceMatcher(None, base_lines, head_lines, autojunk=False).get_opcodes()


def print_table(results: Sequence[Result]) -> bool:
    """Print case, median, min–max, bar and pass; True when every bar is met."""
    width = max(len(result.case) for result in results)
    print(f"{'case':<{width}}  {'median':>10}  {'min–max':>19}  {'bar':>9}  pass")
    for result in results:
        timing = result.timing
        spread = f"{timing.lowest:.1f}–{timing.highest:.1f} ms"
        bar = "" if result.bar is None else f"{result.bar:.0f} ms"
        verdict = "" if result.bar is None else "yes" if result.is_passed else "NO"
        print(f"{result.case:<{width}}  {timing.median:>7.1f} ms  {spread:>19}  {bar:>9}  {verdict}")
    return all(result.is_passed for result in results)
