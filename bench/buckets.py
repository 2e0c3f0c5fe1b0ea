"""`python -m bench.buckets`: are buckets even, sticky and independent? R1 to R5, by the code that routes calls."""

import hashlib
import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from channels.core.bucketing import BUCKETS, allocate, bucket_of, size
from channels.core.phone_numbers import read_unit
from channels.core.rollout_states import State
from channels.core.rollout_steps import Arm, Rollout, RolloutPlan, Step, arm_of

PROJECT = Path(__file__).resolve().parent.parent
VECTORS = PROJECT / "tests" / "core" / "bucket_vectors.json"
SALTS, NUMBERS, BINS = 200, 50_000, 100
CALLERS = 200_000
SHARES = (1_000, 5_000, 10_000, 25_000, 50_000, 99_999)
WAYS = ("{}", "00{d}", "0{n}", "+{d} ", "sip:{}@10.0.0.1;user=phone", "tel:{}", "+33 (0){n}")
Row = tuple[str, str, str, bool]
"""What was looked at, what came out, the bar, whether it was met."""


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    if "--arms" in sys.argv:
        print(_fingerprint())
        return 0
    missed = False
    print(f"{'':<4} {'what':<62} {'measured':<24} bar")
    for name, check in (("R1", _r1), ("R2", _r2), ("R3", _r3), ("R4", _r4), ("R5", _r5)):
        for what, measured, bar, is_met in check():
            missed = missed or not is_met
            print(f"{name:<4} {what:<62} {measured:<24} {bar} {'pass' if is_met else 'MISSED'}", flush=True)
    return 1 if missed else 0


def callers(count: int) -> list[str]:
    """Consecutive numbers in E.164."""
    return [f"+336{number:08d}" for number in range(count)]


def running(salt: str, share: int) -> Rollout:
    """A rollout that gives its version to a share."""
    return Rollout(RolloutPlan("clinic", 2, 1, salt, (Step(share, 2.0),)), State.RUNNING)


def _in_canary(salt: str, share: int, units: list[str]) -> set[str]:
    rollout = running(salt, share)
    return {unit for unit in units if arm_of(rollout, unit).arm == Arm.CANARY}


def _r1() -> Iterator[Row]:
    units, low = callers(NUMBERS), 0
    expected = NUMBERS / BINS
    for salt in range(SALTS):
        counts = Counter(bucket_of(f"salt-{salt}", unit) * BINS // BUCKETS for unit in units)
        statistic = sum((counts[at] - expected) ** 2 / expected for at in range(BINS))
        low += _tail(statistic, BINS - 1) < 0.01
    share = low / SALTS
    yield f"chi-square, {NUMBERS:,} numbers, {SALTS} salts: p < 0.01", f"{share:.1%} of salts", "4 %", share <= 0.04


def _r2() -> Iterator[Row]:
    units, inside, left = callers(20_000), set[str](), 0
    for share in SHARES:
        now = _in_canary("grows", share, units)
        left, inside = left + len(inside - now), now
    yield "callers who leave while a share grows from 1 % to all", str(left), "0", left == 0
    before = allocate({}, {"A": 50_000, "B": 30_000, "C": 20_000})
    after = allocate(before, {"A": 40_000, "B": 35_000, "C": 25_000})
    stayed = sum(
        max(0, min(a[1], b[1]) - max(a[0], b[0])) for name in before for a in before[name] for b in after[name]
    )
    moved = sum(size(ranges) for ranges in after.values()) - stayed
    yield "buckets that move when weights change by 10 %", f"{moved:,}", "10,000", moved == 10_000


def _r3() -> Iterator[Row]:
    units = callers(CALLERS)
    first, second = (_in_canary(salt, 10_000, units) for salt in ("one rollout", "another"))
    apart = abs(len(first & second) / len(first) - len(second) / CALLERS)
    what = f"two rollouts of 10 %: |P(B given A) - P(B)|, {CALLERS:,} callers"
    yield what, f"{apart:.4f}", "0.005", apart <= 0.005


def _r4() -> Iterator[Row]:
    units = callers(CALLERS)
    for share in (100, 1_000, 10_000):
        expected = share / BUCKETS
        error = math.sqrt(expected * (1 - expected) / CALLERS)
        off = abs(len(_in_canary("realised", share, units)) / CALLERS - expected) / error
        yield f"realised share at {expected:.1%}", f"{off:.2f} standard errors", "3", off <= 3


def _r5() -> Iterator[Row]:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    wrong = sum(bucket_of(each["salt"], each["unit"]) != each["bucket"] for each in vectors)
    yield f"golden vectors that differ, of {len(vectors)}", str(wrong), "0", wrong == 0
    others = {_other_process() for _ in range(3)}
    yield "other processes with other arms, of 3", str(len(others - {_fingerprint()})), "0", others == {_fingerprint()}
    strange = sum(_way(way, unit) != unit for unit in callers(2_000) for way in WAYS)
    yield f"ways of writing 2,000 numbers ({len(WAYS)} each) that are others", str(strange), "0", strange == 0


def _way(way: str, unit: str) -> str | None:
    return read_unit(way.format(unit, d=unit[1:], n=unit[3:]), "FR")


def _fingerprint() -> str:
    """Of the arms of 20,000 callers."""
    rollout = running("every worker", 30_000)
    arms = "".join(arm_of(rollout, unit).arm[0] for unit in callers(20_000))
    return hashlib.sha256(arms.encode()).hexdigest()


def _other_process() -> str:
    command = [sys.executable, "-m", "bench.buckets", "--arms"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()


def _tail(statistic: float, degrees: int) -> float:
    """Wilson and Hilferty's approximation: right to three digits for 99 degrees of freedom."""
    spread = 2 / (9 * degrees)
    return 0.5 * math.erfc(((statistic / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread) / math.sqrt(2))


if __name__ == "__main__":
    sys.exit(main())
