"""Seeded rollouts for `bench.canary`: calls are drawn, observed as the product would, and judged until it decides."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from monitoring.core.canary_decision import Action, decide
from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.canary_policy import DAY, PRESETS, Policy

CALLS_A_DAY = 200


@dataclass(frozen=True)
class Stream:
    """A kind of rollout. `rate` is the stable version's failure rate at the n-th call, `ratio` how many times that the
    canary's is; `lost` the parts of ends that never arrive, (canary, stable). `callers` call again and again, each with
    a failure rate of their own; 0: everybody calls once. `ramp` are the calls after which the share grows regardless;
    empty: the judge's own advances count, or with `is_fixed` nothing does."""

    name: str
    rate: Callable[[int], float]
    ratio: float = 1.0
    most: int = 20_000
    every: int = 50
    policy: Policy = PRESETS["balanced"]
    lost: tuple[float, float] = (0.0, 0.0)
    callers: int = 0
    ramp: tuple[int, ...] = ()
    is_fixed: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a rollout ended, after how many calls in all and of the canary; `action` at the end of an undecided one."""

    action: Action
    calls: int
    canary: int


@dataclass
class Counts:
    """What is observed, by arm (0: canary) or by share and arm."""

    due: list[int] = field(default_factory=lambda: [0, 0])
    recorded: list[int] = field(default_factory=lambda: [0, 0])
    failed: list[int] = field(default_factory=lambda: [0, 0])
    callers: dict[int, list[int]] = field(default_factory=dict)
    labels: dict[int, list[int]] = field(default_factory=dict)
    either: dict[int, list[int]] = field(default_factory=dict)
    missing: dict[int, list[int]] = field(default_factory=dict)

    def observations(self, step: int, seconds: int) -> Observations:
        """As the judge takes them; soak times are over."""
        return Observations(
            step=step,
            seconds_in_step=DAY,
            seconds=seconds,
            canary=ArmCalls(self.due[0], self.recorded[0], self.failed[0]),
            stable=ArmCalls(self.due[1], self.recorded[1], self.failed[1]),
            callers=_labels(self.callers),
            labels=_labels(self.labels),
            labels_or_missing=_labels(self.either),
            missing=_labels(self.missing),
        )


def _labels(counts: dict[int, list[int]]) -> Labels:
    return Labels.of({share: (canary, stable) for share, (canary, stable) in counts.items()})


@dataclass
class Caller:
    """Somebody with a bucket and a failure rate relative to the average, and what has been counted of them."""

    bucket: float
    factor: float = 1.0
    counted: set[str] = field(default_factory=set)


def run(stream: Stream, seed: str) -> Outcome:
    """One rollout, looked at every so many calls, until promoted, rolled back, unhealthy, or out of calls."""
    chance, counts, step = random.Random(seed), Counts(), 0
    # The longest duration ends with the last call: an undecided rollout has to ask then.
    policy = replace(stream.policy, longest=math.ceil(stream.most / CALLS_A_DAY * DAY))
    crowd = [Caller(chance.random(), _factor(chance)) for _ in range(stream.callers)]
    action = Action.CONTINUE
    for at in range(1, stream.most + 1):
        if step < len(stream.ramp) and at > stream.ramp[step]:
            step += 1
        caller = crowd[int(chance.random() * len(crowd))] if crowd else Caller(chance.random())
        _call(stream, counts, caller, policy.steps[step].share, stream.rate(at), chance)
        if at % stream.every and at < stream.most:
            continue
        action = decide(policy, counts.observations(step, round(at / CALLS_A_DAY * DAY))).action
        if action in {Action.ROLL_BACK, Action.UNHEALTHY} or (action == Action.PROMOTE and not stream.is_fixed):
            return Outcome(action, at, counts.due[0])
        if action == Action.ADVANCE and not stream.is_fixed:
            step += 1
    return Outcome(action, stream.most, counts.due[0])


def _factor(chance: random.Random) -> float:
    """Of a caller: most hardly ever fail, some nearly always (an accent, a bad line); 1 on average."""
    return chance.gammavariate(0.25, 4.0)


def _call(stream: Stream, counts: Counts, caller: Caller, share: int, rate: float, chance: random.Random) -> None:
    arm = int(caller.bucket >= share / 100_000)
    rate = min(rate * caller.factor * (1.0 if arm else stream.ratio), 1.0)
    is_lost = stream.lost[arm] > 0 and chance.random() < stream.lost[arm]
    is_failed = chance.random() < rate
    counts.due[arm] += 1
    _first(caller, "call", counts.callers, share, arm)
    if is_lost:
        _first(caller, "missing", counts.missing, share, arm)
    else:
        counts.recorded[arm] += 1
        counts.failed[arm] += is_failed
    if is_failed and not is_lost:
        _first(caller, "failed", counts.labels, share, arm)
    if is_failed or is_lost:
        _first(caller, "either", counts.either, share, arm)


def _first(caller: Caller, what: str, into: dict[int, list[int]], share: int, arm: int) -> None:
    if what not in caller.counted:
        caller.counted.add(what)
        into.setdefault(share, [0, 0])[arm] += 1
