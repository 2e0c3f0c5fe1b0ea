"""How a rollout is judged: steps with margins, least numbers of calls and soak times, guardrails, mode; presets.

All of it is settled before the rollout starts and kept with it: evidence is valid only for a test chosen beforehand.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

from channels.core.bucketing import BUCKETS
from channels.core.rollout_judging import Counts, Rule
from channels.core.rollout_steps import PRESETS as ROLLOUT_PRESETS
from channels.core.rollout_steps import PresetPlan
from channels.core.shares import percent

HOUR = 3_600
DAY = 24 * HOUR
ROLLBACK_ALPHA = 0.01
"""The chance that a canary that is no worse is ever rolled back, all guardrails together."""
ADVANCE_ALPHA = 0.05
"""The chance that a canary as bad as the margin ever passes the step."""
LEAST_CALLS = (50, 100, 200)
LEAST_MARGIN = 1.1
OFTEN = 0.3
"""The failure rate above which successes are counted instead: they are the rarer label, which tells more."""


def counts_for(rate: float | None) -> Counts:
    """Which calls to count at a failure rate known before the rollout starts (0 to 1; None: unknown)."""
    return Counts.SUCCESSES if rate is not None and rate > OFTEN else Counts.FAILURES


@dataclass(frozen=True)
class Step:
    """A share of callers (of 100,000) and what it takes to pass: E_ok of the margin, the canary's recorded calls since
    the rollout started, and seconds since the step did."""

    share: int
    margin: float
    least_calls: int
    soak: int


@dataclass(frozen=True)
class RateGuardrail:
    """A further kind of failed call, such as negative sentiment or not automated. Only ever rolls back."""

    name: str
    counts: Counts = Counts.FAILURES


@dataclass(frozen=True)
class MeanGuardrail:
    """An average of calls, such as seconds or a judge's score. Only ever rolls back: when it is worse by more than the
    tolerance, a share of the stable version's average."""

    name: str
    is_higher_worse: bool = True
    tolerance: float = 0.1


@dataclass(frozen=True)
class Policy:
    """How one rollout is judged. `longest` is in seconds; after it a person is asked."""

    steps: tuple[Step, ...]
    longest: int
    counts: Counts = Counts.FAILURES
    rates: tuple[RateGuardrail, ...] = ()
    means: tuple[MeanGuardrail, ...] = ()
    rule: Rule = Rule.SEQUENTIAL
    least_sample: int = 100
    """Calls of the canary below which the simple rule says nothing."""

    @property
    def rollback_alpha(self) -> float:
        """The error rate's part: all, or half when there are further guardrails."""
        return ROLLBACK_ALPHA / 2 if self.rates or self.means else ROLLBACK_ALPHA

    @property
    def guardrail_alpha(self) -> float:
        """Each further guardrail's part of the other half."""
        return ROLLBACK_ALPHA / 2 / max(len(self.rates) + len(self.means), 1)

    def problems(self) -> list[str]:
        """What is wrong with it, in sentences that say what to do; empty when nothing is."""
        shares = [step.share for step in self.steps]
        found = [] if shares else ["A rollout needs at least one step: add one."]
        if any(not 0 < share < BUCKETS for share in shares):
            found.append("A step's share is above 0 and below 100 %; 100 % is what promoting does.")
        if any(later <= earlier for earlier, later in pairwise(shares)):
            found.append("Steps go up: give each step a larger share than the one before.")
        margins = [step.margin for step in self.steps]
        # Written so that a margin that is not a number is refused too.
        if any(not LEAST_MARGIN <= margin <= 50 for margin in margins):
            found.append(f"A margin is from {LEAST_MARGIN} to 50: closer to 1 no number of calls decides.")
        if any(later > earlier for earlier, later in pairwise(margins)):
            found.append("Margins do not grow from step to step: a step would ask for less than the one before.")
        if any(min(step.least_calls, step.soak) < 0 for step in self.steps):
            found.append("Numbers of calls and soak times are not negative.")
        if self.longest <= sum(step.soak for step in self.steps):
            found.append("The longest duration is at most the sum of the soak times: make it longer.")
        if self.least_sample < 1:
            found.append("The simple rule needs a sample of at least one call.")
        names = [rate.name for rate in self.rates] + [mean.name for mean in self.means]
        if len(set(names)) < len(names):
            found.append("Each guardrail comes once.")
        if any(not 0 <= guardrail.tolerance < 1 for guardrail in self.means):
            found.append("A guardrail's tolerance is from 0 to below 100 %.")
        return found


def steps_of(shares: tuple[int, ...], margins: tuple[float, ...], *, soak: int) -> tuple[Step, ...]:
    """Steps with the least numbers of calls of their places."""
    least = [LEAST_CALLS[min(at, len(LEAST_CALLS) - 1)] for at in range(len(shares))]
    return tuple(Step(share, margin, calls, soak) for share, margin, calls in zip(shares, margins, least, strict=True))


def _policy(named: PresetPlan) -> Policy:
    shares, margins = zip(*named.steps, strict=True)
    return Policy(steps_of(shares, margins, soak=named.soak_s), longest=named.max_duration_s)


PRESETS = {preset.value: _policy(named) for preset, named in ROLLOUT_PRESETS.items()}
"""By the names of the rollout's own presets, whose shares, margins and times they are."""


def with_margins(policy: Policy, margins: tuple[float, ...]) -> Policy:
    """A preset with margins of one's own, one per step. Raises ValueError when there are more or fewer."""
    if len(margins) != len(policy.steps):
        raise ValueError(f"Give one margin per step: {len(policy.steps)}, not {len(margins)}.")
    steps = tuple(replace(step, margin=margin) for step, margin in zip(policy.steps, margins, strict=True))
    return replace(policy, steps=steps)


def in_words(policy: Policy) -> str:
    """`10 → 25 → 50 %, margins 3 / 2 / 1.5`."""
    shares = " → ".join(percent(step.share) for step in policy.steps)
    return f"{shares} %, margins {' / '.join(f'{step.margin:g}' for step in policy.steps)}"
