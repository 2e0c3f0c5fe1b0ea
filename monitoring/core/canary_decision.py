"""Which action is due, and the evidence it stands on: the order of decisions and their bars.

Unhealthy (pause, no verdict), roll back, advance, promote, continue, and hold once the rollout lasted its longest: a
person is asked, nothing is promoted for lack of evidence.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from channels.core.rollout_judging import Counts, Rule

from .canary_evidence import Labels, Ratio, log_harm, log_mean, log_ok, most_likely
from .canary_guardrails import Finding, harmful, judged
from .canary_observations import ArmCalls, Health, Observations, check_health
from .canary_policy import ADVANCE_ALPHA, Policy, Step

PROMOTED_RATIO = 1.1
SIMPLE_ROLL_BACK, SIMPLE_PROMOTE = 1.5, 1.1


class Action(StrEnum):
    """What is to be done."""

    UNHEALTHY = "unhealthy"
    ROLL_BACK = "roll back"
    ADVANCE = "advance"
    PROMOTE = "promote"
    CONTINUE = "continue"
    HOLD = "hold"


@dataclass(frozen=True)
class Decision:
    """The action and what it stands on: whether the evidence of the step suffices, and evidences as logarithms."""

    action: Action
    health: Health
    broken: tuple[str, ...]
    is_passed: bool
    log_harm_recorded: float
    log_harm_missing: float
    log_harm: float
    log_ok: float

    @property
    def is_ok(self) -> bool:
        """Whether the canary is proven to be better than the margin."""
        return self.log_ok >= -math.log(ADVANCE_ALPHA)


@dataclass(frozen=True)
class Statistics:
    """What is stored and shown. E-values are cut off at exp(700). `harm` is the mean of the two beside it; `needed` are
    calls of the canary still expected until the step is decided (None: not soon). Where the policy counts successes
    `ratio` is how many times as often the stable version succeeds."""

    harm: float
    harm_bar: float
    harm_recorded: float
    harm_missing: float
    ok: float
    ok_bar: float
    margin: float
    ratio: Ratio | None
    needed: int | None
    simple_rule: Action
    split_evidence: float
    missing_evidence: float
    guardrails: tuple[Finding, ...]


def simple_rule(canary: ArmCalls, stable: ArmCalls, *, least: int) -> Action:
    """Above 1.5 times the stable version's failure rate roll back, at or below 1.1 times promote, else continue."""
    rate, base = canary.failure_rate, stable.failure_rate
    if rate is None or base is None or canary.recorded < least:
        return Action.CONTINUE
    if rate > SIMPLE_ROLL_BACK * base:
        return Action.ROLL_BACK
    return Action.PROMOTE if rate <= SIMPLE_PROMOTE * base else Action.CONTINUE


def decide(policy: Policy, seen: Observations) -> Decision:
    """The action alone, without what is only shown. Raises ValueError for a step that the policy does not have."""
    step, labels = step_of(policy, seen), judged(seen.labels, policy.counts)
    recorded = log_harm(labels)
    is_told_apart = policy.counts == Counts.FAILURES
    missing = log_harm(seen.labels_or_missing) if is_told_apart else recorded
    harm, ok = log_mean(recorded, missing), log_ok(labels, step.margin)
    health, broken = check_health(seen), tuple(harmful(policy, seen))
    if policy.rule == Rule.THRESHOLD:
        said = simple_rule(seen.canary, seen.stable, least=policy.least_sample)
        is_harm, is_passed = said == Action.ROLL_BACK, said == Action.PROMOTE
    else:
        is_harm, is_passed = harm >= -math.log(policy.rollback_alpha), _is_passed(policy, seen, labels, ok)
    is_last = seen.step == len(policy.steps) - 1
    if health.reasons:
        action = Action.UNHEALTHY
    elif is_harm or broken:
        action = Action.ROLL_BACK
    elif is_passed and seen.seconds_in_step >= step.soak and not health.waits:
        action = Action.PROMOTE if is_last else Action.ADVANCE
    else:
        action = Action.HOLD if seen.seconds >= policy.longest else Action.CONTINUE
    return Decision(action, health, broken, is_passed, recorded, missing, harm, ok)


def step_of(policy: Policy, seen: Observations) -> Step:
    """The step the rollout is at."""
    if not 0 <= seen.step < len(policy.steps):
        raise ValueError(f"The rollout has {len(policy.steps)} steps, numbered from 0: there is no step {seen.step}.")
    return policy.steps[seen.step]


def _is_passed(policy: Policy, seen: Observations, labels: Labels, ok: float) -> bool:
    step = policy.steps[seen.step]
    if ok < -math.log(ADVANCE_ALPHA) or seen.canary.recorded < step.least_calls:
        return False
    if seen.step < len(policy.steps) - 1:
        return True
    likely = most_likely(labels)
    return likely is not None and likely <= PROMOTED_RATIO
