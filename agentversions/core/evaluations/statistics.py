"""Intervals and agreement with the standard library: exact binomial, Poisson bootstrap, sign test, Cohen's kappa."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LEVEL = 0.95
ROUNDS = 2_000
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval, from `low` to `high`."""

    low: float
    high: float


def exact_interval(hits: int, count: int, level: float = LEVEL) -> Interval:
    """Of a share, Clopper and Pearson (Biometrika 26, 1934): it never covers less than its level."""
    if count == 0:
        return Interval(0.0, 1.0)
    rest = (1 - level) / 2
    low = 0.0 if hits == 0 else _solve(lambda share: beta_share(hits, count - hits + 1, share), rest)
    high = 1.0 if hits == count else _solve(lambda share: beta_share(hits + 1, count - hits, share), 1 - rest)
    return Interval(low, high)


def sign_test(worse: int, better: int) -> float:
    """The two-sided p-value of McNemar's exact test: whether as many flipped one way as the other."""
    count = worse + better
    if count == 0:
        return 1.0
    fewer = min(worse, better)
    # P(X ≤ fewer) of a fair coin is I(½; count − fewer, fewer + 1).
    return min(1.0, 2 * beta_share(count - fewer, fewer + 1, 0.5))


def bootstrap_difference(pairs: Iterable[tuple[float, bool, bool]], seed: int = 1, level: float = LEVEL) -> Interval:
    """Of head's weighted share minus base's over the same cases: (weight, passed in base, passed in head).

    The Poisson bootstrap (Chamandy and others, Google 2012): each round draws how often every group of equal cases
    comes, so that 50,000 cases cost as little as fifty. The same seed gives the same interval. Units: shares.
    """
    groups = Counter(pairs)
    if not groups:
        return Interval(-1.0, 1.0)
    generator, found = random.Random(seed), []  # noqa: S311 statistics, not secrets
    for _ in range(ROUNDS):
        whole = difference = 0.0
        for (weight, base, head), count in groups.items():
            drawn = _poisson(count, generator) * weight
            whole += drawn
            difference += drawn * (head - base)
        found.append(difference / whole if whole else 0.0)
    found.sort()
    cut = int(ROUNDS * (1 - level) / 2)
    return Interval(found[cut], found[-1 - cut])


def kappa(pairs: Iterable[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two raters: 1 agrees always, 0 as often as by chance; None where chance explains everything."""
    counts = Counter(pairs)
    whole = sum(counts.values())
    if not whole:
        return None
    agreed = (counts[True, True] + counts[False, False]) / whole
    one, other = counts[True, True] + counts[True, False], counts[True, True] + counts[False, True]
    chance = (one * other + (whole - one) * (whole - other)) / whole**2
    return None if chance > 1 - EPSILON else (agreed - chance) / (1 - chance)


def beta_share(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I(x; a, b), by its continued fraction (Lentz)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    fraction = d
    for step in range(1, 10_000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            fraction *= c * d
        if abs(c * d - 1) < EPSILON:
            break
    return front * fraction


def _solve(rising: Callable[[float], float], target: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2


def _poisson(mean: int, generator: random.Random) -> int:
    """A draw: exactly for small means, by the normal law above 50."""
    if mean > 50:
        return max(0, round(generator.gauss(mean, math.sqrt(mean))))
    limit, product, drawn = math.exp(-mean), generator.random(), 0
    while product > limit:
        product *= generator.random()
        drawn += 1
    return drawn
