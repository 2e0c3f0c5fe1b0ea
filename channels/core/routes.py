"""A route as a value: the whole plan of a channel as canonical JSON, found by its digest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agentversions.core.canonical_json import canonical

from .bucketing import Range, allocate, size
from .shares import percent

MOST_VARIANTS = 20
LONGEST_NAME = 60


class Follow(StrEnum):
    """What a target follows: the agent's draft, its live version, or one version for ever."""

    DRAFT = "draft"
    LIVE = "live"
    VERSION = "version"


@dataclass(frozen=True, order=True)
class Target:
    """An agent (by its slug) with what of it answers; `version` is a number exactly when a version is pinned."""

    agent: str
    follow: Follow = Follow.DRAFT
    version: int | None = None

    def __post_init__(self) -> None:
        if (self.follow == Follow.VERSION) != (self.version is not None):
            raise ValueError("A version number goes with a pinned version, and only with it.")

    @property
    def word(self) -> str:
        """`Draft`, `Live` or `V3`."""
        return f"V{self.version}" if self.version is not None else self.follow.capitalize()

    def __str__(self) -> str:
        return f"{self.agent} {self.word}"


@dataclass(frozen=True)
class Variant:
    """One arm of a test: its name, what answers, and its buckets as sorted ranges."""

    name: str
    target: Target
    ranges: tuple[Range, ...]

    @property
    def share(self) -> int:
        """Buckets of 100,000."""
        return size(self.ranges)

    @property
    def percent(self) -> str:
        """The share as people read it, `33.333`."""
        return percent(self.share)

    def __str__(self) -> str:
        return f"{percent(self.share)} % {self.name}: {self.target}"


@dataclass(frozen=True)
class RoutePlan:
    """What answers a channel: one target, or the variants of an A/B test with their salt."""

    target: Target | None = None
    variants: tuple[Variant, ...] = ()
    salt: str = ""

    @property
    def is_test(self) -> bool:
        """Whether an A/B test answers."""
        return self.target is None

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everything that may answer, in order."""
        return (self.target,) if self.target else tuple(variant.target for variant in self.variants)

    @property
    def agents(self) -> tuple[str, ...]:
        """The slugs of all agents in the plan, each once."""
        return tuple(dict.fromkeys(target.agent for target in self.targets))

    def __str__(self) -> str:
        return str(self.target) if self.target else " · ".join(str(variant) for variant in self.variants)


@dataclass(frozen=True)
class WantedVariant:
    """One line of the form: its name, what answers, and the share it should have in buckets of 100,000."""

    name: str
    target: Target
    share: int


def single(target: Target) -> RoutePlan:
    """The plan that always gives the same target."""
    return RoutePlan(target=target)


def split(wanted: Sequence[WantedVariant], *, salt: str, before: RoutePlan | None = None) -> RoutePlan:
    """The plan of an A/B test. A test that goes on (`before` has the same salt) moves only the changed shares.

    Raises ValueError when names repeat or shares do not add up: forms and services check first, with words.
    """
    shares = {variant.name: variant.share for variant in wanted}
    if len(shares) != len(wanted):
        raise ValueError("Every variant needs a name of its own.")
    goes_on = before is not None and before.is_test and before.salt == salt
    old = {variant.name: variant.ranges for variant in before.variants} if before and goes_on else {}
    ranges = allocate(old, shares)
    return RoutePlan(
        variants=tuple(Variant(each.name, each.target, tuple(ranges[each.name])) for each in wanted), salt=salt
    )


def write_route(plan: RoutePlan) -> str:
    """The plan's canonical JSON."""
    if plan.target:
        return canonical({"target": _target_json(plan.target)})
    variants = [
        {"name": each.name, "ranges": [list(pair) for pair in each.ranges], "target": _target_json(each.target)}
        for each in plan.variants
    ]
    return canonical({"salt": plan.salt, "variants": variants})


def read_route(body: str) -> RoutePlan:
    """The plan of a route's canonical JSON, as `write_route` wrote it."""
    value = json.loads(body)
    if "target" in value:
        return RoutePlan(target=_read_target(value["target"]))
    variants = tuple(
        Variant(each["name"], _read_target(each["target"]), tuple((start, stop) for start, stop in each["ranges"]))
        for each in value["variants"]
    )
    return RoutePlan(variants=variants, salt=value["salt"])


def _target_json(target: Target) -> dict[str, Any]:
    value: dict[str, Any] = {"agent": target.agent, "follow": str(target.follow)}
    return value | ({"version": target.version} if target.version is not None else {})


def _read_target(value: Mapping[str, Any]) -> Target:
    return Target(value["agent"], Follow(value["follow"]), value.get("version"))
