"""Intervals that stay valid however often one looks: 95 % confidence sequences of rates, means and differences.

One rate: every p that the evidence does not rule out, where the evidence is the Beta-binomial mixture of Robbins
(Annals of Mathematical Statistics 41, 1970) with Jeffreys' prior; for two categories it is the Dirichlet-multinomial of
Lindon and Malek (NeurIPS 2022, arXiv:2011.03567). Exact: the chance that the interval *ever* leaves out the true rate
is at most 5 %, from the first call on (Ville's inequality).

Means and differences: Robbins' normal mixture in the information of the estimate (Howard, Ramdas, McAuliffe and Sekhon,
Annals of Statistics 49, 2021, equation 14; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52,
2024). Asymptotic: uniform over all looks as calls grow; below `FEWEST` calls on a side nothing is said.

Calls of the same caller are not independent: counts are divided by their design effect (Kish, Survey Sampling, 1965;
the variance of a ratio over callers), which is 1 when everybody calls once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .comparing import FEWEST, Difference, Estimate, Verdict

ALPHA = 0.05
TUNED_FOR = 1_000.0
"""Effective calls at which the normal mixture is narrowest: 4,000 calls split evenly; it is flat around that."""
LOG_JEFFREYS = math.log(math.pi)
"""The logarithm of B(1/2, 1/2)."""


@dataclass(frozen=True)
class Sums:
    """What the calls of a variant add up to. With X the sum and M the number of a caller's calls that count:
    `n` is ΣM, `total` ΣX, `squares` Σx² over calls; `xx`, `xm`, `mm` are ΣX², ΣXM, ΣM² over callers."""

    n: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    xx: float = 0.0
    xm: float = 0.0
    mm: float = 0.0

    @property
    def mean(self) -> float:
        """The average over calls; there must be one."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Of one call's value around the mean."""
        return max(self.squares / self.n - self.mean**2, 0.0) * self.n / max(self.n - 1, 1.0)

    @property
    def design_effect(self) -> float:
        """How many calls tell as much as one independent one: at least 1, the largest possible where nothing varies."""
        alone = self.squares - self.n * self.mean**2
        if alone <= 1e-9 * self.squares or alone <= 0:
            return max(self.mm / self.n, 1.0)
        return max((self.xx - 2 * self.mean * self.xm + self.mean**2 * self.mm) / alone, 1.0)


def sums_of_rate(count: float, n: float) -> Sums:
    """A count among n calls, each of another caller."""
    return Sums(n, count, count, count, count, n)


@dataclass(frozen=True)
class Arm:
    """One figure of one variant: its sums, and number and total of calls in each stratum (the calls of one route)."""

    sums: Sums
    strata: Mapping[str, tuple[float, float]]


def rate_evidence(count: float, n: float, rate: float) -> float:
    """The logarithm of the evidence against a rate (0 < rate < 1) after `count` among n calls. Beyond log(1/α): no."""
    ahead = math.lgamma(count + 0.5) + math.lgamma(n - count + 0.5) - math.lgamma(n + 1) - LOG_JEFFREYS
    return ahead - count * math.log(rate) - (n - count) * math.log1p(-rate)


def rate(sums: Sums, *, alpha: float = ALPHA) -> Estimate | None:
    """A share of calls with its confidence sequence; None without calls."""
    if sums.n <= 0:
        return None
    value, effect = sums.mean, sums.design_effect
    count, n, bar = sums.total / effect, sums.n / effect, math.log(1 / alpha)
    low = 0.0 if value <= 0 else _edge(count, n, inside=value, outside=0.0, bar=bar)
    high = 1.0 if value >= 1 else _edge(count, n, inside=value, outside=1.0, bar=bar)
    return Estimate(value, low, high, round(sums.n))


def _edge(count: float, n: float, *, inside: float, outside: float, bar: float) -> float:
    """Where the evidence reaches the bar, by bisection: it is convex, and infinite at 0 and 1."""
    inside = min(max(inside, 1e-12), 1 - 1e-12)
    for _ in range(50):
        middle = (inside + outside) / 2
        if rate_evidence(count, n, middle) < bar:
            inside = middle
        else:
            outside = middle
    return outside


def mean(sums: Sums, *, alpha: float = ALPHA) -> Estimate | None:
    """An average of values that are never negative, with its confidence sequence; None below two values."""
    if sums.n < 2:
        return None
    half = math.sqrt(sums.variance) * radius(sums.n / sums.design_effect, alpha=alpha)
    return Estimate(sums.mean, max(sums.mean - half, 0.0), sums.mean + half, round(sums.n))


def rate_difference(head: Arm, base: Arm, *, alpha: float = ALPHA) -> Difference | None:
    """Head's rate minus base's; None without calls of both in one stratum.

    The variance is that of one more success and one more failure: none yet does not mean never.
    """
    if min(head.sums.n, base.sums.n) <= 0:
        return None
    found = _difference(head, base, _shrunk(head.sums), _shrunk(base.sums), alpha)
    return found and Difference(found.value, max(found.low, -1.0), min(found.high, 1.0), found.verdict)


def mean_difference(head: Arm, base: Arm, *, alpha: float = ALPHA) -> Difference | None:
    """Head's average minus base's; None without two values of each, or without calls of both in one stratum."""
    if min(head.sums.n, base.sums.n) < 2:
        return None
    return _difference(head, base, head.sums.variance, base.sums.variance, alpha)


def _shrunk(sums: Sums) -> float:
    likely = (sums.total + 1) / (sums.n + 2)
    return likely * (1 - likely)


def information_of(head: Arm, base: Arm) -> float:
    """Effective calls that a difference of two rates stands on: 1 / (1/n + 1/m) when everybody calls once."""
    if min(head.sums.n, base.sums.n) <= 0:
        return 0.0
    return _score(head, base, _shrunk(head.sums), _shrunk(base.sums))[0]


def _difference(head: Arm, base: Arm, spread: float, base_spread: float, alpha: float) -> Difference | None:
    information, score, scale = _score(head, base, spread, base_spread)
    if information <= 0:
        return None
    value, half = score / information, math.sqrt(scale) * radius(information, alpha=alpha)
    return Difference(value, value - half, value + half, _verdict(value, half, head.sums.n, base.sums.n))


def _score(head: Arm, base: Arm, spread: float, base_spread: float) -> tuple[float, float, float]:
    """Information, score and the variance of one call: differences within each stratum, weighted by information.

    A base rate that drifts while shares change (Simpson's paradox) moves none of them, and over looks the sum of scores
    is a Brownian motion in that information.
    """
    information, score = 0.0, 0.0
    scale = (head.sums.n * spread + base.sums.n * base_spread) / (head.sums.n + base.sums.n)
    spread, base_spread = spread * head.sums.design_effect, base_spread * base.sums.design_effect
    for name, (n, total) in head.strata.items():
        base_n, base_total = base.strata.get(name, (0.0, 0.0))
        if n > 0 and base_n > 0:
            # Where nothing ever varied both are 0: the numbers of calls alone weigh then.
            part = scale / (spread / n + base_spread / base_n) if scale > 0 else 1 / (1 / n + 1 / base_n)
            information, score = information + part, score + part * (total / n - base_total / base_n)
    return information, score, scale


def _verdict(value: float, half: float, *counts: float) -> Verdict:
    if min(counts) < FEWEST:
        return Verdict.FEW
    return Verdict.CLEAR if abs(value) > half else Verdict.WITHIN


def radius(information: float, *, alpha: float = ALPHA) -> float:
    """Half the width of the normal mixture's interval, in standard deviations of one call, after so many effective
    calls (for a difference 1 / (1/n + 1/m))."""
    rho = tuned_rho(alpha)
    reached = information + rho
    return math.sqrt(reached * math.log(reached / (rho * alpha**2))) / information


@cache
def tuned_rho(alpha: float, best_at: float = TUNED_FOR) -> float:
    """The mixture's parameter that makes the interval narrowest after `best_at` effective calls.

    v / (−W(−α²/e) − 1) with the lower branch of Lambert's W (Howard et al. 2021, proposition 3), by iteration.
    """
    lambert = 1.0
    for _ in range(60):
        lambert = 1 - 2 * math.log(alpha) + math.log(lambert)
    return best_at / (lambert - 1)
