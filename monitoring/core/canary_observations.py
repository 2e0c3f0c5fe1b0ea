"""What is known of a running rollout when it is judged, and whether it can be judged at all.

Whoever fills `Observations` keeps to this, or the promises of `canary_verdict` do not hold:

- Only calls that the rollout's split routed: no pinned, overridden or withheld-number calls, no previews.
- `labels`: of each caller the first failed call of the rollout (the first successful one where the policy counts
  successes), among calls with a recorded end; with the share in force when that call was routed, not today's.
- `labels_or_missing`: the same where a missing call counts as failed: of each caller the first call that failed or is
  missing. A call is missing when its end did not arrive within the longest call plus a grace time. Equal to `labels`
  where nothing is missing. Where successes are counted this field is not read: a missing call is no success already.
- `missing`: of each caller the first missing call.
- `callers`: of each caller the first routed call, at the share then in force.
- `rates`: per further guardrail of that kind, the same as `labels` for what it counts.
- `means`: per guardrail of an average, the canary's and the stable version's recorded calls, with a stratum per share.
- Counts of `ArmCalls` are calls, not callers.
- Whoever knows calls only by number (a Prometheus server) gives them as if each were another caller's: repeat callers
  then make false rollbacks likelier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from channels.core.bucketing import BUCKETS

from .canary_evidence import NO_LABELS, Labels, log_differs, shown
from .sequential import Arm
from .sequential_ratio import SplitCheck, Stratum, check_split

ALPHA = 0.001
MOST_MISSING = 0.05
PLAIN_FROM = 200
"""Due calls of an arm from which more than 5 % missing counts as it stands; below, it must be more than chance."""


@dataclass(frozen=True)
class ArmCalls:
    """Calls of one arm: `due` have a recorded end or are missing, `recorded` have one, `failed` are those that failed.
    Calls that may still be running are in none."""

    due: int = 0
    recorded: int = 0
    failed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.failed <= self.recorded <= self.due:
            raise ValueError("Failed calls are recorded, and recorded calls are due: 0 ≤ failed ≤ recorded ≤ due.")

    @property
    def missing(self) -> int:
        """Calls without an end."""
        return self.due - self.recorded

    @property
    def failure_rate(self) -> float | None:
        """Of recorded calls; None without any."""
        return self.failed / self.recorded if self.recorded else None

    @property
    def has_many_missing(self) -> bool:
        """Whether more than 5 % are missing, chance or not."""
        return self.missing > MOST_MISSING * self.due


NO_CALLS = ArmCalls()


@dataclass(frozen=True)
class Observations:
    """A rollout at one moment. `step` counts from 0; seconds are those in which it ran, without pauses."""

    step: int
    seconds_in_step: int
    seconds: int
    canary: ArmCalls = NO_CALLS
    stable: ArmCalls = NO_CALLS
    callers: Labels = NO_LABELS
    labels: Labels = NO_LABELS
    labels_or_missing: Labels = NO_LABELS
    missing: Labels = NO_LABELS
    rates: Mapping[str, Labels] = field(default_factory=dict)
    means: Mapping[str, tuple[Arm, Arm]] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """Whether the rollout can be judged. `reasons` say why it cannot (pause), `waits` why it must not advance yet."""

    reasons: tuple[str, ...]
    waits: tuple[str, ...]
    split_evidence: float
    missing_evidence: float


def check_health(seen: Observations) -> Health:
    """The sample-ratio check, and whether ends are missing: too many, or more in one arm. 1,000 is broken."""
    split, differs = check_callers(seen.callers), shown(log_differs(seen.missing))
    reasons: list[str] = []
    waits: list[str] = []
    if split.is_broken:
        found, expected = split.counts.get(CANARY, 0), split.expected.get(CANARY, 0.0)
        reasons.append(
            f"{found:,} of {split.callers:,} callers reached the canary where about {expected:,.0f} were expected: "
            "check how calls are routed and recorded."
        )
    for name, arm in ((CANARY, seen.canary), (STABLE, seen.stable)):
        if arm.has_many_missing:
            words = f"the end of {arm.missing:,} of {arm.due:,} calls of the {name} never arrived"
            is_sure = arm.due >= PLAIN_FROM or tail(arm.missing, arm.due, MOST_MISSING) < ALPHA
            (reasons if is_sure else waits).append(words)
    reasons = [f"{reason[0].upper()}{reason[1:]}" for reason in reasons]
    reasons = [reason if reason.endswith(".") else f"{reason}: check how ends are sent." for reason in reasons]
    if differs >= 1 / ALPHA:
        reasons.append(
            f"Ends are missing more often in one arm ({seen.canary.missing:,} of {seen.canary.due:,} of the canary, "
            f"{seen.stable.missing:,} of {seen.stable.due:,} of the stable version): look for calls that crash."
        )
    return Health(tuple(reasons), tuple(waits), float(f"{split.evidence:.6g}"), differs)


CANARY, STABLE = "canary", "stable version"


def check_callers(callers: Labels) -> SplitCheck:
    """Whether callers were split by the shares, over all shares that were in force."""
    return check_split(
        Stratum({CANARY: round(canary), STABLE: round(stable)}, {CANARY: share, STABLE: BUCKETS - share})
        for share, canary, stable in callers.counts
    )


def tail(count: int, n: int, rate: float) -> float:
    """The chance of at least `count` among n calls at a rate: the exact binomial test."""
    if count <= 0:
        return 1.0
    odds, term = rate / (1 - rate), (1 - rate) ** n
    below = 0.0
    for k in range(count):
        below += term
        term *= (n - k) / (k + 1) * odds
    return max(1.0 - below, 0.0)
