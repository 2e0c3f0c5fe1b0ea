"""The choice for one caller: pages that explain, the API and the runtime all run this code."""

from dataclasses import dataclass
from enum import StrEnum

from .bucketing import BUCKETS, bucket_of
from .routes import RoutePlan, Target


class Reason(StrEnum):
    """Why this was chosen, in the words of OpenFeature."""

    STATIC = "STATIC"
    SPLIT = "SPLIT"


class Unit(StrEnum):
    """What a split counted: the caller (sticky), the call (a withheld number), or chance (neither is known)."""

    CALLER = "caller"
    CALL = "call_id"
    CHANCE = "chance"


@dataclass(frozen=True)
class Decision:
    """What answers one caller, and why. `bucket` is None when nothing was split; shares are of 100,000."""

    target: Target
    reason: Reason
    index: int = 0
    variant: str | None = None
    bucket: int | None = None
    share: int = BUCKETS


def choose(plan: RoutePlan, unit: str) -> Decision:
    """What answers this unit (see `unit_of`). The same plan and unit always give the same decision."""
    if plan.target:
        return Decision(plan.target, Reason.STATIC)
    bucket = bucket_of(plan.salt, unit)
    for index, variant in enumerate(plan.variants):
        for start, stop in variant.ranges:
            if start <= bucket < stop:
                return Decision(variant.target, Reason.SPLIT, index, variant.name, bucket, variant.share)
    raise ValueError("The route's buckets have a hole.")


def unit_of(caller: str | None, call_id: str | None, chance: str) -> tuple[str, Unit]:
    """What a split counts for this call: the caller, else the call's id, else a value drawn by chance."""
    if caller is not None:
        return caller, Unit.CALLER
    if call_id:
        return call_id, Unit.CALL
    return chance, Unit.CHANCE
