"""How sure a difference is: 95 % intervals of rates and means, and of their differences, in words.

Rates: Wilson's score interval; differences of rates: Newcombe's hybrid of two of them (Statistics in Medicine 17, 1998,
method 10). Means: normal approximation with both variances (Welch).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

Z = 1.959963984540054
"""The normal quantile of 97.5 %."""
FEWEST = 30
"""Calls on each side below which nothing is said."""


class Verdict(StrEnum):
    """What an interval of a difference says."""

    CLEAR = "clear of chance"
    WITHIN = "within chance"
    FEW = "too few calls"


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; `n` calls it stands on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Difference:
    """Head minus base, with its 95 % interval and what that says."""

    value: float
    low: float
    high: float
    verdict: Verdict


def rate(count: int, n: int) -> Estimate | None:
    """A share of n calls; None without calls."""
    if n <= 0:
        return None
    share, squared = count / n, Z * Z
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    half = Z / (1 + squared / n) * math.sqrt(share * (1 - share) / n + squared / (4 * n * n))
    return Estimate(share, max(middle - half, 0.0), min(middle + half, 1.0), n)


def rate_difference(head: Estimate | None, base: Estimate | None) -> Difference | None:
    """The difference of two rates."""
    if head is None or base is None:
        return None
    value = head.value - base.value
    low = value - math.hypot(head.value - head.low, base.high - base.value)
    high = value + math.hypot(head.high - head.value, base.value - base.low)
    return Difference(value, low, high, _verdict(low, high, head.n, base.n))


def mean(total: float, squares: float, n: int) -> Estimate | None:
    """The mean of n values from their sum and their sum of squares; None without values."""
    if n <= 0:
        return None
    value = total / n
    variance = max(squares / n - value * value, 0.0) * n / (n - 1) if n > 1 else 0.0
    half = Z * math.sqrt(variance / n)
    return Estimate(value, value - half, value + half, n)


def mean_difference(head: Estimate | None, base: Estimate | None) -> Difference | None:
    """The difference of two means."""
    if head is None or base is None:
        return None
    value, half = head.value - base.value, math.hypot(head.high - head.value, base.high - base.value)
    return Difference(value, value - half, value + half, _verdict(value - half, value + half, head.n, base.n))


def _verdict(low: float, high: float, *counts: int) -> Verdict:
    if min(counts) < FEWEST:
        return Verdict.FEW
    return Verdict.CLEAR if low > 0 or high < 0 else Verdict.WITHIN
