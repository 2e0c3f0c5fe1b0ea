"""Whether callers were split as configured, checked at every look: the sequential multinomial test of Lindon and Malek
("Anytime-valid inference for multinomial count data", NeurIPS 2022, arXiv:2011.03567).

The evidence is the Bayes factor of a Dirichlet mixture around the configured shares against these shares. It is exact:
the chance that it *ever* reaches 1/α while the split is right is at most α (Ville). When shares change, the evidence of
the periods is multiplied: each is a test martingale of its own.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ALPHA = 0.001
BROKEN = 1 / ALPHA
CONCENTRATION = 100.0
"""Of the mixture around the shares: it finds shares that are off by some points soonest."""
FEWEST = 20
"""Callers below which nothing is said of a split that is not yet broken."""


@dataclass(frozen=True)
class Stratum:
    """Callers whose first call one set of shares decided: how many each variant got, and the shares (of any sum)."""

    counts: Mapping[str, int]
    shares: Mapping[str, float]


@dataclass(frozen=True)
class SplitCheck:
    """What the check says. `evidence` is the e-value; counts and expected counts are callers by variant."""

    evidence: float
    counts: Mapping[str, int]
    expected: Mapping[str, float]

    @property
    def callers(self) -> int:
        """All callers of the check."""
        return sum(self.counts.values())

    @property
    def is_broken(self) -> bool:
        """Whether the callers cannot have been split by these shares."""
        return self.evidence >= BROKEN

    @property
    def is_early(self) -> bool:
        """Whether there are too few callers to say anything."""
        return not self.is_broken and self.callers < FEWEST


def check_split(strata: Iterable[Stratum]) -> SplitCheck:
    """The evidence of all periods together. A caller of a variant without a share is proof."""
    evidence = 0.0
    counts: dict[str, int] = {}
    expected: dict[str, float] = {}
    for stratum in strata:
        evidence += split_evidence(stratum)
        callers, whole = sum(stratum.counts.values()), sum(stratum.shares.values())
        for name in {**stratum.shares, **stratum.counts}:
            counts[name] = counts.get(name, 0) + stratum.counts.get(name, 0)
            expected[name] = expected.get(name, 0.0) + callers * stratum.shares.get(name, 0.0) / whole
    return SplitCheck(math.exp(min(evidence, 700.0)), counts, expected)


def split_evidence(stratum: Stratum) -> float:
    """The logarithm of the evidence of one period."""
    callers, whole = sum(stratum.counts.values()), sum(stratum.shares.values())
    evidence = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + callers)
    for name, count in stratum.counts.items():
        share = stratum.shares.get(name, 0.0) / whole
        if count and share <= 0:
            return math.inf
        if count:
            prior = CONCENTRATION * share
            evidence += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return evidence
