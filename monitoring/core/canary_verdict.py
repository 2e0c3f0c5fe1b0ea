"""The judge of a canary rollout: from what was observed to one of six actions, with its statistics and words.

The tests hold however often one looks (`canary_evidence`); what must be delivered is written in `canary_observations`,
how a rollout is judged in `canary_policy`. No clock, no chance: the same input gives the same verdict, byte for byte in
`as_json`.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from channels.core.bucketing import BUCKETS
from channels.core.rollout_judging import Counts, Rule

from .canary_decision import Action, Statistics, decide, simple_rule, step_of
from .canary_evidence import Ratio, estimate, shown
from .canary_guardrails import findings, judged
from .canary_observations import Observations
from .canary_planning import failures_until_decided
from .canary_policy import ADVANCE_ALPHA, Policy
from .canary_words import in_words

ASSUMED = (1, 20)
"""Labels and calls that a forecast starts from, so that it has a rate before the first failure."""


@dataclass(frozen=True)
class Verdict:
    """One evaluation with its inputs. `share` is the canary's (of 100,000) that the action asks for; None: leave it."""

    action: Action
    share: int | None
    words: str
    statistics: Statistics
    policy: Policy
    seen: Observations

    def as_json(self) -> str:
        """Everything, always in the same bytes. An open end of an interval is null."""
        return json.dumps(_finite(asdict(self)), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        # An integral float and the same integer are equal input: they are written alike.
        return (
            None
            if not math.isfinite(value)
            else int(value)
            if value.is_integer() and abs(value) < 2**53
            else float(f"{value:.10g}")
        )
    return value


def judge(policy: Policy, seen: Observations) -> Verdict:
    """One evaluation: what to do now, and why."""
    decision, step = decide(policy, seen), step_of(policy, seen)
    ratio = estimate(judged(seen.labels, policy.counts))
    statistics = Statistics(
        harm=shown(decision.log_harm),
        harm_bar=float(f"{1 / policy.rollback_alpha:.6g}"),
        harm_recorded=shown(decision.log_harm_recorded),
        harm_missing=shown(decision.log_harm_missing),
        ok=shown(decision.log_ok),
        ok_bar=float(f"{1 / ADVANCE_ALPHA:.6g}"),
        margin=step.margin,
        ratio=ratio,
        needed=calls_needed(policy, seen, ratio),
        simple_rule=simple_rule(seen.canary, seen.stable, least=policy.least_sample),
        split_evidence=decision.health.split_evidence,
        missing_evidence=decision.health.missing_evidence,
        guardrails=findings(policy, seen),
    )
    share = {
        Action.ROLL_BACK: 0,
        Action.PROMOTE: BUCKETS,
        Action.ADVANCE: policy.steps[min(seen.step + 1, len(policy.steps) - 1)].share,
    }.get(decision.action)
    return Verdict(decision.action, share, in_words(policy, seen, decision, statistics), statistics, policy, seen)


def calls_needed(policy: Policy, seen: Observations, ratio: Ratio | None) -> int | None:
    """Calls of the canary still expected until the step is decided, at the rates seen so far; None: not soon."""
    step = policy.steps[seen.step]
    least = policy.least_sample if policy.rule == Rule.THRESHOLD else step.least_calls
    fewest = max(least - seen.canary.recorded, 0)
    if policy.rule == Rule.THRESHOLD:
        return fewest or None
    is_success = policy.counts == Counts.SUCCESSES
    failures = failures_until_decided(
        judged(seen.labels, policy.counts),
        share=BUCKETS - step.share if is_success else step.share,
        margin=step.margin,
        ratio=ratio.expected if ratio else 1.0,
        rollback_alpha=policy.rollback_alpha,
    )
    if failures is None:
        return None
    labels, calls = seen.labels.total + ASSUMED[0], seen.canary.recorded + seen.stable.recorded + ASSUMED[1]
    return max(math.ceil(failures * calls / labels * step.share / BUCKETS), fewest)
