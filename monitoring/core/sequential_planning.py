"""How many calls it takes until a difference of two rates is clear of chance, with the intervals of `sequential`.

A true difference is told once the interval's half width and 0.84 standard errors fit into it: four in five tests tell
it at that look alone, and more of them at that or an earlier one (nine in ten in `bench/sequential.py`).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from .sequential import ALPHA, Arm, information_of, radius

POWER = 0.8
MOST = 1e12


def information_needed(spread: float, difference: float, *, alpha: float = ALPHA) -> float:
    """Effective calls (1 / (1/n + 1/m)) that tell a difference, in the unit of `spread`: one call's deviation."""
    if spread <= 0 or difference <= 0:
        return 0.0
    above = NormalDist().inv_cdf(POWER)

    def told(information: float) -> bool:
        return spread * (radius(information, alpha=alpha) + above / math.sqrt(information)) <= difference

    low, high = 0.0, 1.0
    while not told(high) and high < MOST:
        low, high = high, high * 2
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if told(middle) else (middle, high)
    return high


def effective_share(base: float, head: float) -> float:
    """Effective calls that one call brings when so much of all calls goes to the two variants (shares from 0 to 1)."""
    return base * head / (base + head) if base > 0 and head > 0 else 0.0


def calls_needed(
    rate: float, difference: float, shares: Sequence[float], *, counted: float = 1.0, alpha: float = ALPHA
) -> int | None:
    """Calls of a test until every variant's difference to the first is told; None where a variant gets no calls.

    `counted` is the share of calls that the rate is of (engaged ones, for the automation rate).
    """
    slowest = min((effective_share(shares[0], share) for share in shares[1:]), default=0.0)
    if slowest <= 0 or counted <= 0:
        return None
    each = alpha / (len(shares) - 1)
    return math.ceil(information_needed(widest(rate, difference), difference, alpha=each) / slowest / counted)


def widest(rate: float, difference: float) -> float:
    """The largest deviation of one call for a rate, or one that is higher or lower by the difference."""
    likely = (rate, min(rate + difference, 1.0), max(rate - difference, 0.0))
    return max(math.sqrt(each * (1 - each)) for each in likely)


def calls_missing(
    arms: Sequence[Arm], shares: Sequence[float], difference: float, *, calls: int, alpha: float = ALPHA
) -> int | None:
    """Calls of a running test until every variant's difference to the first is told; 0 when it is by now.

    `arms` have the rate and `shares` (from 0 to 1) of each variant, the control first; `calls` are all calls so far, of
    which only some count for the rate. None while no call counts.
    """
    counted, total = sum(arm.sums.n for arm in arms), sum(arm.sums.total for arm in arms)
    if counted <= 0 or calls <= 0:
        return None
    spread, each = widest((total + 1) / (counted + 2), difference), alpha / max(len(arms) - 1, 1)
    needed = information_needed(spread, difference, alpha=each)
    effect = sum(arm.sums.n * arm.sums.design_effect for arm in arms if arm.sums.n) / counted
    missing = 0.0
    for arm, share in zip(arms[1:], shares[1:], strict=True):
        gained = effective_share(shares[0], share) * counted / calls / effect
        if gained <= 0:
            return None
        missing = max(missing, (needed - information_of(arm, arms[0])) / gained)
    return math.ceil(missing)
