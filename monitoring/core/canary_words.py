"""A verdict in a few sentences."""

import math

from channels.core.rollout_judging import Counts, Rule
from channels.core.shares import percent

from .canary_decision import Action, Decision, Statistics
from .canary_evidence import LIKELY, Ratio
from .canary_observations import ArmCalls, Observations
from .canary_planning import in_days, rounded
from .canary_policy import DAY, Policy

FEW = 100_000
"""Calls up to which a number of calls is foretold."""


def in_words(policy: Policy, seen: Observations, decision: Decision, statistics: Statistics) -> str:
    """What to do, and why."""
    lead, why = {
        Action.UNHEALTHY: ("Paused, no verdict", " ".join(decision.health.reasons)),
        Action.ROLL_BACK: ("Roll back", _harm(policy, seen, decision, statistics)),
        Action.ADVANCE: (_advance(policy, seen), _passed(policy, seen, statistics)),
        Action.PROMOTE: ("Promote", _passed(policy, seen, statistics)),
        Action.CONTINUE: ("Continue", _open(policy, seen, decision, statistics)),
        Action.HOLD: (
            "Hold",
            f"after {in_days(seen.seconds / DAY)} a person has to decide. {_estimate(policy, statistics.ratio)} "
            f"{capital(_open(policy, seen, decision, statistics))}",
        ),
    }[decision.action]
    return f"{lead}: {why}"


def capital(sentence: str) -> str:
    """With a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def times(ratio: float) -> str:
    """`1.0`, `0.95`, `12`."""
    return f"{ratio:#.2g}".rstrip(".")


def _advance(policy: Policy, seen: Observations) -> str:
    later = policy.steps[min(seen.step + 1, len(policy.steps) - 1)]
    return f"Advance to {percent(later.share)} %"


def _worse(policy: Policy, ratio: str) -> str:
    if policy.counts == Counts.SUCCESSES:
        return f"the stable version succeeds {ratio} times as often as the canary"
    return f"the canary fails {ratio} times as often as the stable version"


def _estimate(policy: Policy, ratio: Ratio | None) -> str:
    if ratio is None:
        return f"No call has {'succeeded' if policy.counts == Counts.SUCCESSES else 'failed'} yet."
    high = "any" if math.isinf(ratio.high) else times(ratio.high)
    return f"{capital(_worse(policy, _about(ratio.value)))} (95 %: {times(ratio.low)} to {high})."


def _about(ratio: float) -> str:
    """The ends of the grid on which r is looked for say that it may be beyond."""
    if ratio in {LIKELY.ratios[0], LIKELY.ratios[-1]}:
        return f"{ratio:.1f} or {'less' if ratio < 1 else 'more'}"
    return f"about {ratio:.2f}".removesuffix("0")


def _simply(canary: ArmCalls, stable: ArmCalls) -> str:
    return (
        f"{canary.failed:,} of {canary.recorded:,} calls of the canary failed, {stable.failed:,} of "
        f"{stable.recorded:,} of the stable version"
    )


def _harm(policy: Policy, seen: Observations, decision: Decision, statistics: Statistics) -> str:
    if decision.broken:
        return f"the canary is worse beyond chance by {', '.join(decision.broken)}."
    if policy.rule == Rule.THRESHOLD:
        return f"{_simply(seen.canary, seen.stable)}: more than 1.5 times as often."
    said = _estimate(policy, statistics.ratio)
    missing = ", calls without an end counted as failed," if decision.log_harm_missing > decision.log_harm else ""
    return f"{said[0].lower()}{said[1:]} The evidence of harm{missing} is {_number(statistics.harm)} of " + (
        f"{statistics.harm_bar:,.0f}."
    )


def _number(evidence: float) -> str:
    return f"{evidence:,.0f}" if evidence < 1e6 else "over a million"


def _passed(policy: Policy, seen: Observations, statistics: Statistics) -> str:
    if policy.rule == Rule.THRESHOLD:
        return f"{_simply(seen.canary, seen.stable)}: at most 1.1 times as often."
    margin = f"less than {statistics.margin:g}"
    proof = f"(evidence {_number(statistics.ok)} of {statistics.ok_bar:,.0f})"
    return f"{_worse(policy, margin)} {proof}. {_estimate(policy, statistics.ratio)}"


def _open(policy: Policy, seen: Observations, decision: Decision, statistics: Statistics) -> str:
    """What is still missing."""
    step = policy.steps[seen.step]
    if decision.health.waits:
        return f"{' and '.join(decision.health.waits)}; no step is taken while more than 5 % are missing."
    if decision.is_passed:
        return (
            f"the step is passed once it has lasted {_lasting(step.soak)}, "
            f"in {_lasting(step.soak - seen.seconds_in_step)}."
        )
    needed = statistics.needed
    if policy.rule == Rule.THRESHOLD:
        if needed:
            return f"the simple rule needs {needed:,} more calls of the canary."
        return f"{_simply(seen.canary, seen.stable)}: between 1.1 and 1.5 times as often."
    if decision.is_ok and not needed:
        return f"{_worse(policy, f'less than {step.margin:g}')}, but to promote the best estimate must be 1.1 or less."
    if needed is None or needed > FEW:
        ratio = statistics.ratio.value if statistics.ratio else 1.0
        return f"{_worse(policy, _about(ratio))}, too near to this step's margin of {step.margin:g} to tell."
    if needed <= 1:
        return "the next canary call may decide it."
    return f"about {rounded(needed):,} more canary calls decide it."


def _lasting(seconds: int) -> str:
    minutes = max(math.ceil(seconds / 60), 1)
    hours, minutes = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0))
