"""How the judge reads a rollout's plan: as a policy."""

from channels.core.rollout_judging import Guardrail, Judging
from channels.core.rollout_steps import RolloutPlan

from .canary_policy import LEAST_CALLS, MeanGuardrail, Policy, RateGuardrail, Step

RATES = {Guardrail.AUTOMATION: "calls that were not automated", Guardrail.SENTIMENT: "negative calls"}
"""Guardrails that count calls, by what they count, as the verdict's words name it."""
MEANS = {
    Guardrail.DURATION: MeanGuardrail("average duration"),
    Guardrail.LATENCY: MeanGuardrail("average latency"),
    Guardrail.JUDGE_SCORE: MeanGuardrail("calls judged a success", is_higher_worse=False),
}
"""Guardrails of an average; a judge's score is 1 for a success and 0 for a failure."""


def policy_of(plan: RolloutPlan, judging: Judging) -> Policy:
    """How a rollout is judged; decided when it was made."""
    return Policy(
        steps=tuple(
            Step(step.share, step.margin, LEAST_CALLS[min(at, len(LEAST_CALLS) - 1)], step.soak_s)
            for at, step in enumerate(plan.steps)
        ),
        longest=plan.max_duration_s,
        counts=judging.counts,
        rates=tuple(RateGuardrail(RATES[each]) for each in judging.guardrails if each in RATES),
        means=tuple(MEANS[each] for each in judging.guardrails if each in MEANS),
        rule=judging.rule,
        least_sample=judging.least_sample,
    )
