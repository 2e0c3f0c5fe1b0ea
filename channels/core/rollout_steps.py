"""A rollout as a value: which version goes to how many callers, step by step, and in which arm a caller is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from agentversions.core.canonical_json import canonical
from agentversions.core.reading import FieldError

from .bucketing import BUCKETS, bucket_of
from .rollout_states import By, Move, State, after
from .routing import Unit
from .shares import percent

HOUR, DAY = 3_600, 86_400
LONGEST = 90 * DAY
MOST_STEPS = 10
LEAST_MARGIN, MOST_MARGIN = 1.1, 10.0


class Preset(StrEnum):
    """Steps, margins and times that have a name; `own` is anything else."""

    BALANCED = "balanced"
    FAST = "fast"
    STRICT = "strict"
    OWN = "own"


@dataclass(frozen=True)
class PresetPlan:
    """What a preset stands for: share (buckets of 100,000) and margin of each step, the seconds that every step lasts
    at least, and those after which a rollout is held and a person asked. The one place where they are said."""

    steps: tuple[tuple[int, float], ...]
    soak_s: int
    max_duration_s: int


PRESETS: dict[Preset, PresetPlan] = {
    Preset.BALANCED: PresetPlan(((10_000, 3.0), (25_000, 2.0), (50_000, 1.5)), 2 * HOUR, 30 * DAY),
    Preset.FAST: PresetPlan(((10_000, 3.0), (50_000, 2.0)), HOUR // 2, 14 * DAY),
    Preset.STRICT: PresetPlan(((10_000, 3.0), (25_000, 2.0), (50_000, 1.3)), 4 * HOUR, 60 * DAY),
}
SOAK = PRESETS[Preset.BALANCED].soak_s
"""Seconds that a step of one's own lasts at least, unless somebody says otherwise."""
MAX_DURATION = PRESETS[Preset.BALANCED].max_duration_s
"""Seconds after which a rollout with steps of one's own is held, unless somebody says otherwise."""


@dataclass(frozen=True)
class Step:
    """One step: the share of callers in buckets of 100,000, the margin (how many times the error rate of the live
    version must be ruled out before the next step), and how long it lasts at least, in seconds."""

    share: int
    margin: float
    soak_s: int = SOAK


@dataclass(frozen=True)
class RolloutPlan:
    """What was decided when the rollout was made: agent (slug), version and the live version it is judged against
    (numbers), salt, steps, and the seconds after which a person is asked."""

    agent: str
    version: int
    baseline: int
    salt: str
    steps: tuple[Step, ...]
    max_duration_s: int = MAX_DURATION

    @property
    def preset(self) -> Preset:
        """The name of its steps and margins."""
        found = tuple((step.share, step.margin) for step in self.steps)
        return next((preset for preset, named in PRESETS.items() if named.steps == found), Preset.OWN)

    def __str__(self) -> str:
        steps = " → ".join(f"{percent(step.share)} %" for step in self.steps)
        return f"{self.agent} V{self.baseline} → V{self.version}: {steps}"


class Arm(StrEnum):
    """Which of the two versions a caller gets."""

    CANARY = "canary"
    STABLE = "stable"


@dataclass(frozen=True)
class Assignment:
    """Where a rollout puts one caller, by which bucket, at which share of the canary (buckets of 100,000).

    `is_analysed` is False where the unit is no caller: a withheld number counts by its call, and is not judged.
    """

    arm: Arm
    bucket: int
    share: int
    is_analysed: bool


@dataclass(frozen=True)
class Rollout:
    """A plan and where it stands: its state, and the step (from 0) that is or was in force."""

    plan: RolloutPlan
    state: State = State.SCHEDULED
    step: int = 0

    @cached_property
    def share(self) -> int:
        """The share of callers that get the version now (buckets of 100,000); 0 before the start and after the end."""
        return self.plan.steps[self.step].share if self.state.splits_calls else 0

    @property
    def is_at_last_step(self) -> bool:
        """Whether promoting is what comes next."""
        return self.step == len(self.plan.steps) - 1


def preset_steps(preset: Preset, *, soak_s: int | None = None) -> tuple[Step, ...]:
    """The steps of a preset, each lasting at least so many seconds (None: as the preset says). `own` has none."""
    named = PRESETS.get(preset)
    if named is None:
        return ()
    return tuple(Step(share, margin, named.soak_s if soak_s is None else soak_s) for share, margin in named.steps)


def moved(rollout: Rollout, move: Move, *, by: By) -> Rollout:
    """The rollout after a move. Raises MoveRefused."""
    state = after(rollout.state, move, by=by, is_last_step=rollout.is_at_last_step)
    return replace(rollout, state=state, step=rollout.step + (move == Move.ADVANCE))


def arm_of(rollout: Rollout, unit: str, counted: Unit = Unit.CALLER) -> Assignment:
    """The arm of a unit (see `routing.unit_of`). The canary has the lowest buckets, so a share that grows never lets
    anybody go; two rollouts have two salts, so they split independently."""
    bucket = bucket_of(rollout.plan.salt, unit)
    share = rollout.share
    return Assignment(Arm.CANARY if bucket < share else Arm.STABLE, bucket, share, counted == Unit.CALLER)


def errors_in(plan: RolloutPlan) -> tuple[FieldError, ...]:
    """What is wrong with a plan, each at its field (`steps.0.margin`); empty when it can run."""
    return tuple(_errors_in(plan))


def _errors_in(plan: RolloutPlan) -> Iterator[FieldError]:
    if plan.version < 1:
        yield FieldError("version", "A draft cannot be rolled out. Publish it, then roll out the version.")
    elif plan.version == plan.baseline:
        yield FieldError("version", f"V{plan.version} is live already. Choose another version.")
    if plan.baseline < 1:
        yield FieldError("baseline", "Nothing is live to compare with. Make a version live first.")
    if not plan.salt:
        yield FieldError("salt", "The rollout has no salt of its own.")
    if not plan.steps:
        yield FieldError("steps", "A rollout needs at least one step, such as 10 %.")
    if len(plan.steps) > MOST_STEPS:
        yield FieldError("steps", f"A rollout has at most {MOST_STEPS} steps.")
    before: Step | None = None
    for index, step in enumerate(plan.steps):
        yield from _errors_in_step(index, step, before)
        before = step
    yield from _errors_in_duration(plan)


def _errors_in_step(index: int, step: Step, before: Step | None) -> Iterator[FieldError]:
    place, name = f"steps.{index}", f"Step {index + 1}"
    if step.share < 1:
        yield FieldError(f"{place}.share", f"{name} gives the version to nobody. Give it a share above 0 %.")
    elif step.share >= BUCKETS:
        words = "leaves nobody on the live version to compare with. Stay below 100 %: promoting is what comes after."
        yield FieldError(f"{place}.share", f"{name} {words}")
    elif before is not None and step.share <= before.share:
        words = f"({percent(step.share)} %) must be above the step before it ({percent(before.share)} %)."
        yield FieldError(f"{place}.share", f"{name} {words} Callers who have the version keep it.")
    # "Not at least" rather than "below", so that NaN is refused too.
    if not step.margin >= LEAST_MARGIN:
        words = f"The margin of step {index + 1} must be at least {LEAST_MARGIN:g}: closer cannot be told from equal."
        yield FieldError(f"{place}.margin", words)
    elif step.margin > MOST_MARGIN:
        yield FieldError(f"{place}.margin", f"The margin of step {index + 1} must be at most {MOST_MARGIN:g}.")
    elif before is not None and step.margin > before.margin:
        words = f"The margin of step {index + 1} must not be above that of the step before it ({before.margin:g})."
        yield FieldError(f"{place}.margin", f"{words} Each step asks for more evidence, not less.")
    if step.soak_s < 0:
        yield FieldError(f"{place}.soak_s", f"The soak time of step {index + 1} cannot be negative.")


def _errors_in_duration(plan: RolloutPlan) -> Iterator[FieldError]:
    soak = sum(max(step.soak_s, 0) for step in plan.steps)
    if plan.max_duration_s <= 0:
        yield FieldError("max_duration_s", "Say how long the rollout may last at most.")
    elif plan.max_duration_s > LONGEST:
        yield FieldError("max_duration_s", f"A rollout lasts at most {in_words(LONGEST)}. Choose a shorter duration.")
    elif plan.max_duration_s < soak:
        words = f"The soak times add up to {in_words(soak)}, but the rollout may last {in_words(plan.max_duration_s)}."
        yield FieldError("max_duration_s", f"{words} Allow more time, or shorten a soak time.")


def in_words(seconds: int) -> str:
    """A duration as people read it: `2 days 3 h`, `1 min 30 s`; exact."""
    parts = []
    for size, word in ((DAY, "day"), (HOUR, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {word}{'s' if word == 'day' and count > 1 else ''}")
    return " ".join(parts) or "0 s"


def write_plan(plan: RolloutPlan) -> str:
    """The plan's canonical JSON."""
    steps = [{"share": step.share, "margin": step.margin, "soak_s": step.soak_s} for step in plan.steps]
    value = {"agent": plan.agent, "version": plan.version, "baseline": plan.baseline, "salt": plan.salt}
    return canonical({**value, "steps": steps, "max_duration_s": plan.max_duration_s})


def read_plan(body: str) -> RolloutPlan:
    """The plan of a canonical JSON text, as `write_plan` wrote it."""
    value = json.loads(body)
    steps = tuple(Step(each["share"], float(each["margin"]), each["soak_s"]) for each in value.pop("steps"))
    return RolloutPlan(**value, steps=steps)
