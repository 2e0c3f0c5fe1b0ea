"""Further guardrails: they roll back, with their part of the error budget, and never promote.

Rates are tested like failed calls. Averages: the normal mixture of `sequential` (Robbins 1970; Howard, Ramdas,
McAuliffe and Sekhon, Annals of Statistics 49, 2021; Waudby-Smith et al., Annals of Statistics 52, 2024) for the
difference of the canary and the stable version, the latter moved by its tolerance, within each share; asymptotic, hence
a least number of calls.
"""

import math
from dataclasses import dataclass

from channels.core.rollout_judging import Counts

from .canary_evidence import Labels, Ratio, estimate, log_harm, shown
from .canary_observations import Observations
from .canary_policy import MeanGuardrail, Policy
from .sequential import Arm, Sums, mean_difference

LEAST_VALUES = 100
"""Values of each arm below which nothing is said of averages."""


@dataclass(frozen=True)
class Finding:
    """What a guardrail says. Rates: `evidence` against its `bar`, and r. Averages: the canary's value over the stable
    version's, both averages, and by how much the canary is beyond the tolerance, with its interval."""

    name: str
    is_harmful: bool
    evidence: float | None = None
    bar: float | None = None
    ratio: Ratio | None = None
    canary: float | None = None
    stable: float | None = None
    beyond: tuple[float, float, float] | None = None


def judged(labels: Labels, counts: Counts) -> Labels:
    """Labels such that r above 1 is harm: where successes are counted, the stable version has more of them."""
    return labels if counts == Counts.FAILURES else labels.swapped


def harmful(policy: Policy, seen: Observations) -> list[str]:
    """The names of guardrails that the canary broke."""
    bar = math.log(1 / policy.guardrail_alpha)
    names = [
        rate.name
        for rate in policy.rates
        if rate.name in seen.rates and log_harm(judged(seen.rates[rate.name], rate.counts)) >= bar
    ]
    return names + [mean.name for mean in policy.means if _average(mean, seen, policy.guardrail_alpha).is_harmful]


def findings(policy: Policy, seen: Observations) -> tuple[Finding, ...]:
    """What each guardrail says, in the policy's order; of one without data, that it says nothing."""
    bar = 1 / policy.guardrail_alpha
    found = []
    for rate in policy.rates:
        labels = judged(seen.rates.get(rate.name, Labels()), rate.counts)
        evidence = log_harm(labels)
        found.append(
            Finding(rate.name, evidence >= math.log(bar), shown(evidence), float(f"{bar:.6g}"), estimate(labels))
        )
    return (*found, *(_average(mean, seen, policy.guardrail_alpha) for mean in policy.means))


def _average(guardrail: MeanGuardrail, seen: Observations, alpha: float) -> Finding:
    if guardrail.name not in seen.means:
        return Finding(guardrail.name, is_harmful=False)
    canary, stable = seen.means[guardrail.name]
    if min(canary.sums.n, stable.sums.n) < LEAST_VALUES:
        return Finding(guardrail.name, is_harmful=False)
    sign = 1 if guardrail.is_higher_worse else -1
    # The tolerance is a share of the average's size, so that it also widens for averages below 0.
    allowed = 1 + sign * math.copysign(guardrail.tolerance, stable.sums.mean)
    said = mean_difference(_times(canary, sign), _times(stable, sign * allowed), alpha=alpha)
    beyond = said and (said.value, said.low, said.high)
    return Finding(
        guardrail.name,
        is_harmful=said is not None and said.low > 0,
        canary=canary.sums.mean,
        stable=stable.sums.mean,
        beyond=beyond or None,
    )


def _times(arm: Arm, factor: float) -> Arm:
    """The same calls, every value multiplied."""
    sums, squared = arm.sums, factor * factor
    return Arm(
        Sums(sums.n, sums.total * factor, sums.squares * squared, sums.xx * squared, sums.xm * factor, sums.mm),
        {name: (n, total * factor) for name, (n, total) in sorted(arm.strata.items())},
    )
