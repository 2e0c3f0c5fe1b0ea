"""What failed calls say about r, how many times as often the canary fails: always-valid tests on the arm each was in.

Source: Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022, arXiv:2011.03567. If
callers go to the canary with a known share w, a failure is one of the canary's with probability w·r / (w·r + 1 − w),
whatever the failure rate is and however it drifts. The log-likelihood of r is therefore, but for a constant,

    C · ln r − Σ_w n_w · ln(1 + w·(r − 1)),

with C the canary's failures and n_w all failures at the share w: a few numbers, however many calls there were. Every
evidence here is an e-process: where its hypothesis is true, the chance that it *ever* reaches 1/α is at most α (Ville),
so one may look after every call.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from channels.core.bucketing import BUCKETS

ALPHA = 0.05
OPEN = 12.0
"""|ln r| beyond which an interval counts as open."""
LARGEST = 700.0
"""The largest logarithm that is shown as a number."""


@dataclass(frozen=True)
class Labels:
    """How many failures (or other labels) each arm had while a share was in force, one of each caller.

    `counts` are (canary's share of 100,000 when the call was routed, canary's count, stable's count), one per distinct
    share, ascending. Counts may be fractions where the expected future is asked.
    """

    counts: tuple[tuple[int, float, float], ...] = ()

    def __post_init__(self) -> None:
        if any(not 0 <= share <= BUCKETS or canary < 0 or stable < 0 for share, canary, stable in self.counts):
            raise ValueError(f"Shares are integers from 0 to {BUCKETS}, and counts are never negative.")
        shares = [share for share, _, _ in self.counts]
        if shares != sorted(set(shares)):
            raise ValueError("Counts come once per share, by ascending share: use Labels.of.")

    @classmethod
    def of(cls, counts: Mapping[int, tuple[float, float]]) -> "Labels":
        """From share → (canary, stable), in any order."""
        return cls(tuple((share, *counts[share]) for share in sorted(counts)))

    @classmethod
    def from_calls(cls, calls: Iterable[tuple[int, bool]]) -> "Labels":
        """From (share in force when the call was routed, whether the canary answered), in any order."""
        counts: dict[int, list[int]] = {}
        for share, is_canary in calls:
            counts.setdefault(share, [0, 0])[not is_canary] += 1
        return cls.of({share: (canary, stable) for share, (canary, stable) in counts.items()})

    @property
    def canary(self) -> float:
        """All of the canary's."""
        return math.fsum(canary for _, canary, _ in self.counts)

    @property
    def total(self) -> float:
        """Both arms'."""
        return math.fsum(canary + stable for _, canary, stable in self.counts)

    @property
    def telling(self) -> "Labels":
        """Those of shares at which both arms could answer; the others say nothing about r."""
        return Labels(tuple(row for row in self.counts if 0 < row[0] < BUCKETS))

    @property
    def swapped(self) -> "Labels":
        """As if the stable version were the canary."""
        return Labels(tuple((BUCKETS - share, stable, canary) for share, canary, stable in reversed(self.counts)))

    def plus(self, other: "Labels") -> "Labels":
        """Both together."""
        rows = sorted(self.counts + other.counts)
        return Labels(
            tuple(
                (share, math.fsum(row[1] for row in same), math.fsum(row[2] for row in same))
                for share, same in ((share, list(group)) for share, group in groupby(rows, key=lambda row: row[0]))
            )
        )

    def expecting(self, n: float, *, share: int, ratio: float) -> "Labels":
        """With n more failures at a share, split between the arms as they are expected at a ratio r."""
        canary = n * expected_part(share, ratio)
        return self.plus(Labels(((share, canary, n - canary),)))


NO_LABELS = Labels()


def expected_part(share: int, ratio: float) -> float:
    """The canary's part of the failures at a share of callers: w·r / (w·r + 1 − w)."""
    return share * ratio / (share * ratio + BUCKETS - share)


@dataclass(frozen=True, eq=False)
class Grid:
    """Values of r with prior weights (of any sum)."""

    ratios: tuple[float, ...]
    log_ratios: tuple[float, ...]
    log_weights: tuple[float, ...]

    @classmethod
    def of(cls, ratios: Sequence[float], weights: Sequence[float]) -> "Grid":
        """Normalises the weights."""
        whole = math.fsum(weights)
        logs = tuple(math.log(weight / whole) for weight in weights)
        return cls(tuple(ratios), tuple(math.log(ratio) for ratio in ratios), logs)


HARM_RATIOS = (1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20, 50)
HARM_WEIGHTS = (1, 1, 2, 3, 3, 4, 3, 3, 2, 2, 1, 1, 1)
HARM = Grid.of(HARM_RATIOS, HARM_WEIGHTS)
EITHER = Grid.of([*HARM_RATIOS, *(1 / ratio for ratio in HARM_RATIOS)], HARM_WEIGHTS * 2)
OK_PRIOR = ((0.3, 1), (0.5, 1), (0.7, 2), (0.85, 3), (1, 6), (1.1, 2), (1.2, 1), (1.35, 1), (1.6, 1), (2, 1))
BELOW_MARGIN = 0.95
LIKELY = Grid.of([round(0.3 + step / 20, 2) for step in range(55)], [1] * 55)
"""Where the most likely r is looked for: 0.30 … 3.00."""
AROUND_ONE = Grid.of(
    [math.exp(step / 10) for step in range(-40, 41)], [math.exp(-((step / 10) ** 2) / 2) for step in range(-40, 41)]
)
"""The mixture of the confidence sequence: ln r standard normal, from −4 to 4 in steps of a tenth."""


@lru_cache(maxsize=64)
def ok_grid(margin: float) -> Grid:
    """The prior below a margin (above 1)."""
    below = [(ratio, weight) for ratio, weight in OK_PRIOR if ratio < BELOW_MARGIN * margin]
    return Grid.of([ratio for ratio, _ in below], [weight for _, weight in below])


@lru_cache(maxsize=4096)
def _normalisers(grid: Grid, share: int) -> tuple[float, ...]:
    return tuple(math.log1p(share / BUCKETS * (ratio - 1)) for ratio in grid.ratios)


def log_likelihood(labels: Labels, ratio: float) -> float:
    """Of r over that of r = 1, as a logarithm."""
    return _likelihood_by_log(labels)(math.log(ratio))


def _likelihood_by_log(labels: Labels) -> Callable[[float], float]:
    """The same as a function of ln r, for those who ask often."""
    labels = labels.telling
    canary = labels.canary
    rows = [(share / BUCKETS, of_canary + of_stable) for share, of_canary, of_stable in labels.counts]

    def of_log(log_ratio: float) -> float:
        above = math.expm1(log_ratio)
        return canary * log_ratio - math.fsum(n * math.log1p(part * above) for part, n in rows)

    return of_log


def log_likelihoods(labels: Labels, grid: Grid) -> list[float]:
    """Of each r of a grid over that of r = 1, as logarithms. Linear in the counts."""
    labels, canary = labels.telling, labels.telling.canary
    values = [canary * log_ratio for log_ratio in grid.log_ratios]
    for share, of_canary, of_stable in labels.counts:
        n = of_canary + of_stable
        values = [value - n * minus for value, minus in zip(values, _normalisers(grid, share), strict=True)]
    return values


def _log_mixture(labels: Labels, grid: Grid) -> float:
    return log_sum(grid, log_likelihoods(labels, grid))


def log_sum(grid: Grid, values: Sequence[float]) -> float:
    """The logarithm of the weighted mean of what is given as logarithms, one per r of the grid."""
    values = [weight + value for weight, value in zip(grid.log_weights, values, strict=True)]
    most = max(values)
    return most + math.log(math.fsum(math.exp(value - most) for value in values))


def log_harm(labels: Labels) -> float:
    """E_harm: the logarithm of the evidence against "the canary fails at most as often". At r below 1 each factor's
    expectation is below 1, so that it holds there too."""
    return _log_mixture(labels, HARM)


def log_ok(labels: Labels, margin: float) -> float:
    """E_ok: the logarithm of the evidence against "the canary fails at least `margin` times as often"."""
    return _log_mixture(labels, ok_grid(margin)) - log_likelihood(labels, margin)


def log_differs(labels: Labels) -> float:
    """The logarithm of the evidence against "both arms alike", more often or less often."""
    return _log_mixture(labels, EITHER)


def log_mean(one: float, other: float) -> float:
    """Of two evidences given and returned as logarithms: a mean of e-processes is one."""
    most = max(one, other)
    return most + math.log((math.exp(one - most) + math.exp(other - most)) / 2)


def shown(log_evidence: float) -> float:
    """The evidence as a number with six digits."""
    return float(f"{math.exp(min(log_evidence, LARGEST)):.6g}")


@dataclass(frozen=True)
class Ratio:
    """r: the most likely value (on a grid from 0.30 to 3.00), and its 95 % confidence sequence (infinite: open).
    `expected` is the posterior's geometric mean, nearer to 1 while there are few failures: forecasts use it."""

    value: float
    low: float
    high: float
    expected: float


def most_likely(labels: Labels) -> float | None:
    """The r of 0.30 … 3.00 that fits best; None without failures."""
    if labels.telling.total <= 0:
        return None
    values = log_likelihoods(labels, LIKELY)
    return LIKELY.ratios[values.index(max(values))]


def estimate(labels: Labels, *, alpha: float = ALPHA) -> Ratio | None:
    """r with every value that the evidence does not rule out; None without failures.

    The log-likelihood is concave in ln r, so that these values are an interval. It is never empty: a mixture is at most
    the largest likelihood.
    """
    value = most_likely(labels)
    if value is None:
        return None
    likelihood = _likelihood_by_log(labels)
    values = log_likelihoods(labels, AROUND_ONE)
    floor = log_sum(AROUND_ONE, values) - math.log(1 / alpha)
    inside = max(AROUND_ONE.log_ratios[values.index(max(values))], math.log(value), key=likelihood)
    low, high = _edge(likelihood, inside, -OPEN, floor), _edge(likelihood, inside, OPEN, floor)
    return Ratio(
        value,
        low=math.exp(low) if low > -OPEN else 0.0,
        high=math.exp(high) if high < OPEN else math.inf,
        expected=_expected(values),
    )


def _expected(values: Sequence[float]) -> float:
    weighted = [weight + value for weight, value in zip(AROUND_ONE.log_weights, values, strict=True)]
    most = max(weighted)
    parts = [math.exp(value - most) for value in weighted]
    logs = math.fsum(part * log for part, log in zip(parts, AROUND_ONE.log_ratios, strict=True))
    return math.exp(logs / math.fsum(parts))


def _edge(likelihood: Callable[[float], float], inside: float, outside: float, floor: float) -> float:
    """ln r where the log-likelihood falls to the floor, by bisection; `outside` where it does not."""
    if likelihood(outside) > floor:
        return outside
    for _ in range(30):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if likelihood(middle) > floor else (inside, middle)
    return outside
