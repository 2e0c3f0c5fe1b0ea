"""How many calls a rollout takes: beforehand for a healthy canary, and from where it stands until it is decided.

Expected failures are added to those counted until the evidence reaches its bar: that is the mean of the time it takes.
The time itself is scattered like the first passage of a Brownian motion with that drift, an inverse Gaussian (Siegmund,
Sequential Analysis, 1985, III): a log-likelihood ratio that grows by d varies by 2d, so that with a bar b its shape is
b/2 of its mean.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist

from channels.core.bucketing import BUCKETS
from channels.core.rollout_judging import Counts

from .canary_evidence import HARM, Grid, Labels, log_likelihood, log_likelihoods, log_sum, ok_grid
from .canary_policy import ADVANCE_ALPHA, DAY, PRESETS, Policy, counts_for, in_words

MOST = 2.0**17
"""Failed calls beyond which nothing is foretold."""
LATE = 0.95
WORTH_OFFERING = 0.9


def _growth(labels: Labels, each: Labels, grid: Grid, margin: float | None = None) -> Callable[[float], float]:
    """The evidence after n more failures of the expected kind: log-likelihoods are linear in the counts."""
    now, later = log_likelihoods(labels, grid), log_likelihoods(each, grid)
    against = (log_likelihood(labels, margin), log_likelihood(each, margin)) if margin else (0.0, 0.0)

    def after(n: float) -> float:
        values = [value + n * slope for value, slope in zip(now, later, strict=True)]
        return log_sum(grid, values) - against[0] - n * against[1]

    return after


def _until(is_enough: Callable[[float], bool]) -> float | None:
    """The least number of failures that is enough, to 2 %; None when MOST is not."""
    if is_enough(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not is_enough(high):
        low, high = high, high * 2
        if high > MOST:
            return None
    while high - low > max(0.02 * high, 0.1):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def failures_until_decided(
    labels: Labels, *, share: int, margin: float, ratio: float, rollback_alpha: float
) -> float | None:
    """Failures still expected until the step is passed or the canary rolled back, if r is `ratio`; None: not soon."""
    each = Labels().expecting(1.0, share=share, ratio=ratio)
    # Only one of them can grow for good: the one that the ratio is farther from.
    if ratio * ratio > margin:
        harm, bar = _growth(labels, each, HARM), math.log(1 / rollback_alpha)
        return _until(lambda n: harm(n) >= bar)
    ok = _growth(labels, each, ok_grid(margin), margin)
    return _until(lambda n: ok(n) >= -math.log(ADVANCE_ALPHA))


@dataclass(frozen=True)
class Plan:
    """What a healthy canary needs: labelled calls in all (half of rollouts, 19 of 20), days, and words."""

    failures: int
    failures_late: int
    days: float
    days_late: float
    words: str


def plan(policy: Policy, *, failure_rate: float, calls_a_day: float) -> Plan:
    """A forecast at this failure rate (above 0, below 1) and traffic, with what is offered instead.

    Raises ValueError where there is nothing to forecast from.
    """
    if not 0 < failure_rate < 1 or not calls_a_day > 0:
        raise ValueError("A forecast needs a failure rate above 0 and below 100 %, and calls.")
    policy = replace(policy, counts=counts_for(failure_rate))
    own = _forecast(policy, failure_rate, calls_a_day)
    noun = "failed" if policy.counts == Counts.FAILURES else "successful"
    words = (
        f"A healthy canary needs about {rounded(own.failures):,} {noun} calls in all (19 of 20 at most "
        f"{rounded(own.failures_late):,}) to be promoted: at {100 * failure_rate:.3g} % errors and "
        f"{calls_a_day:,.0f} calls a day that is {in_days(own.days)} (at most {in_days(own.days_late)})."
    )
    if own.days_late * DAY > policy.longest:
        words += f" It would then reach its longest duration of {in_days(policy.longest / DAY)}: allow more."
    offers = []
    for name, other in _alternatives(policy):
        found = _forecast(replace(other, counts=policy.counts), failure_rate, calls_a_day)
        if found.days < WORTH_OFFERING * own.days:
            offers.append(
                f"{name} ({in_words(other)}): {rounded(found.failures):,} {noun} calls, {in_days(found.days)}."
            )
    return replace(own, words=" ".join((words, *offers)))


def _alternatives(policy: Policy) -> list[tuple[str, Policy]]:
    fast, last = PRESETS["fast"], policy.steps[-1]
    # Half and half tells most: shares are doubled up to that, and steps that would then ask for the same fall away.
    larger = {min(2 * step.share, BUCKETS // 2): step for step in reversed(policy.steps[:-1])}
    half = max(last.share, BUCKETS // 2)
    steps = [replace(step, share=share) for share, step in sorted(larger.items()) if share < half]
    return [
        ("The fast preset", replace(policy, steps=fast.steps, longest=fast.longest)),
        ("A larger share", replace(policy, steps=(*steps, replace(last, share=half)))),
    ]


def _forecast(policy: Policy, failure_rate: float, calls_a_day: float) -> Plan:
    means, bar = _mean_failures(tuple((step.share, step.margin) for step in policy.steps))
    label_rate = failure_rate if policy.counts == Counts.FAILURES else 1 - failure_rate
    found = []
    for part in (0.5, LATE):
        scale, canary, seconds = first_passage(part, shape=bar / 2), 0.0, 0.0
        for step, failures in zip(policy.steps, means, strict=True):
            share = step.share / BUCKETS
            calls = max(scale * failures / label_rate, (step.least_calls - canary) / share)
            canary += calls * share
            seconds += max(calls / calls_a_day * DAY, step.soak)
        found.append((math.ceil(scale * math.fsum(means)), seconds / DAY))
    return Plan(found[0][0], found[1][0], found[0][1], found[1][1], "")


@lru_cache(maxsize=256)
def _mean_failures(steps: tuple[tuple[int, float], ...]) -> tuple[tuple[float, ...], float]:
    """Expected failures of each step of a canary that is no worse, and the last step's bar with its prior's price."""
    labels, needed = Labels(), []
    for share, margin in steps:
        found = failures_until_decided(labels, share=share, margin=margin, ratio=1.0, rollback_alpha=ADVANCE_ALPHA)
        needed.append(MOST if found is None else found)
        labels = labels.expecting(needed[-1], share=share, ratio=1.0)
    grid = ok_grid(steps[-1][1])
    return tuple(needed), -math.log(ADVANCE_ALPHA) - grid.log_weights[grid.ratios.index(1)]


def first_passage(part: float, *, shape: float) -> float:
    """The quantile of an inverse Gaussian with mean 1 and this shape, by bisection."""
    normal = NormalDist()

    def below(x: float) -> float:
        root = math.sqrt(shape / x)
        return normal.cdf(root * (x - 1)) + math.exp(2 * shape) * normal.cdf(-root * (x + 1))

    low, high = 1e-6, 1.0
    while below(high) < part:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < part else (low, middle)
    return high


def rounded(number: float) -> int:
    """To two digits."""
    return int(float(f"{number:.2g}"))


def in_days(days: float) -> str:
    """`17 days`, below one `3 hours`."""
    if days < 1:
        return f"{max(round(24 * days), 1)} hour{'' if round(24 * days) <= 1 else 's'}"
    return f"{round(days):,} day{'' if round(days) == 1 else 's'}"
