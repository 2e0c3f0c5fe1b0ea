"""What a flag gives one call, and why: pages that explain, OpenFeature's protocol and the runtime all run this code."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import Any

from agentversions.core.paths import MISSING

from .bucketing import bucket_of
from .flags import Flag, Rule


class FlagReason(StrEnum):
    """Why a flag gave its value, in the words of OpenFeature."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DISABLED = "DISABLED"
    DEFAULT = "DEFAULT"
    ERROR = "ERROR"


class ErrorCode(StrEnum):
    """What is wrong with an evaluation, in the words of OpenFeature."""

    TARGETING_KEY_MISSING = "TARGETING_KEY_MISSING"
    GENERAL = "GENERAL"


@dataclass(frozen=True)
class Situation:
    """One call, as rules see it.

    `unit` is what shares count (see `routing.unit_of`), `caller` what lists of callers hold, None when withheld;
    `channel` its address; `variant` that of the number's A/B test; `at` an aware moment, `zone` that of the number.
    """

    at: datetime
    zone: tzinfo
    unit: str | None = None
    caller: str | None = None
    channel: str = ""
    variant: str | None = None

    @cached_property
    def local(self) -> datetime:
        """The moment as the clock on the wall shows it where the number is."""
        return self.at.astimezone(self.zone)


@dataclass(frozen=True)
class Evaluation:
    """What a flag gives one call: value (MISSING: what the version or the code says), reason, variant, and the rule
    (from 0; None where none decided). An error has a code and a sentence, and no value."""

    value: Any
    reason: FlagReason
    variant: str = ""
    rule: int | None = None
    bucket: int | None = None
    error: ErrorCode | None = None
    words: str = ""


def evaluate(flag: Flag, situation: Situation) -> Evaluation:
    """What this flag gives: kill switch first, then the first rule that applies, then the default."""
    if not flag.is_enabled:
        return given_by(flag, flag.when_disabled, FlagReason.DISABLED)
    for index, rule in enumerate(flag.rules):
        if not meets(rule, situation):
            continue
        if not rule.is_split:
            return given_by(flag, rule.gives, FlagReason.TARGETING_MATCH, index)
        if situation.unit is None:
            words = f"Rule {index + 1} splits callers: send who calls, or the id of the call, as the targeting key."
            return _failed(ErrorCode.TARGETING_KEY_MISSING, words)
        bucket = bucket_of(rule.salt, situation.unit)
        if bucket < rule.share:
            return given_by(flag, rule.gives, FlagReason.SPLIT, index, bucket)
    return given_by(flag, flag.default, FlagReason.DEFAULT if flag.rules else FlagReason.STATIC)


def evaluate_all(flags: Iterable[Flag], situation: Situation) -> dict[str, Evaluation]:
    """What each of these flags gives, by key."""
    return {flag.key: evaluate(flag, situation) for flag in flags}


def meets(rule: Rule, situation: Situation) -> bool:
    """Whether a call meets all conditions of a rule; its share comes after."""
    return (
        (not rule.callers or situation.caller in rule.callers)
        and (not rule.channels or situation.channel in rule.channels)
        and (not rule.variants or situation.variant in rule.variants)
        and (rule.schedule is None or rule.schedule.is_open(situation.local))
    )


def given_by(
    flag: Flag, variant: str, reason: FlagReason, rule: int | None = None, bucket: int | None = None
) -> Evaluation:
    """What a flag gives by this variant; an error where it has no such variant."""
    if not flag.has(variant):
        return _failed(ErrorCode.GENERAL, f"“{flag.key}” has no variant “{variant}”. Save the flag again.")
    return Evaluation(flag.value_of(variant), reason, variant, rule, bucket)


def _failed(error: ErrorCode, words: str) -> Evaluation:
    return Evaluation(MISSING, FlagReason.ERROR, error=error, words=words)
