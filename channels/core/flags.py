"""A feature flag as a value: what it acts on, its variants and rules, as canonical JSON found by its digest."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from agentversions.core.canonical_json import canonical
from agentversions.core.paths import MISSING

from .bucketing import BUCKETS
from .shares import percent

KEY = re.compile(r"[a-z0-9._-]{1,100}")
"""What a flag may be called; unique in the installation."""
WHOLE_DAY = 24 * 60
"""Minutes."""
ON, OFF, AS_VERSION = "on", "off", "version"
"""The variants of a tool switch; and of a path, the one that leaves what the version says."""


class FlagType(StrEnum):
    """What a flag acts on (a tool, a path of the configuration), or which plain value it carries."""

    TOOL = "tool"
    PATH = "path"
    BOOLEAN = "boolean"
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    JSON = "json"

    @property
    def is_overlay(self) -> bool:
        """Whether the flag changes the configuration that answers, instead of carrying a value for the agent's code."""
        return self in (FlagType.TOOL, FlagType.PATH)


@dataclass(frozen=True)
class FlagVariant:
    """A value with a name. The value is JSON."""

    name: str
    value: Any


SWITCH = (FlagVariant(ON, True), FlagVariant(OFF, False))
"""The variants of every tool switch: as the version has it, and taken away."""


@dataclass(frozen=True)
class Schedule:
    """When a rule applies, in the time zone of the number: days of the week (1 Monday … 7 Sunday; none: every day),
    from and until a minute of the day, and the first and the last day. A window that ends at or before its beginning
    goes on past midnight and belongs to the day on which it begins."""

    days: tuple[int, ...] = ()
    start: int = 0
    stop: int = WHOLE_DAY
    first: date | None = None
    last: date | None = None

    @property
    def is_overnight(self) -> bool:
        """Whether the window goes on past midnight."""
        return self.stop <= self.start

    def is_open(self, local: datetime) -> bool:
        """Whether a moment, given as what the clock on the wall shows there, is inside."""
        minute = local.hour * 60 + local.minute
        if not self.is_overnight:
            return self.start <= minute < self.stop and self._has(local.date())
        if minute >= self.start:
            return self._has(local.date())
        return minute < self.stop and self._has(local.date() - timedelta(days=1))

    def _has(self, day: date) -> bool:
        return (
            (not self.days or day.isoweekday() in self.days)
            and (self.first is None or self.first <= day)
            and (self.last is None or day <= self.last)
        )


@dataclass(frozen=True)
class Rule:
    """Gives a variant to those who meet all of its conditions; an empty condition is met by everybody.

    `callers` are callers as `read_caller` writes them, `channels` addresses, `variants` those of the number's A/B test.
    Of whoever meets them, `share` (buckets of 100,000) get the variant, by the bucket under the rule's own salt.
    """

    name: str
    gives: str
    callers: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    schedule: Schedule | None = None
    share: int = BUCKETS
    salt: str = ""

    @property
    def is_split(self) -> bool:
        """Whether only a share of those who meet the conditions get the variant."""
        return self.share < BUCKETS

    @property
    def percent(self) -> str:
        """The share as people read it."""
        return percent(self.share)


@dataclass(frozen=True)
class Flag:
    """A flag. `subject` is the tool's name or the path, empty for a plain value; `agent` a slug, empty for all agents.

    `default` is the variant of whoever no rule takes, `when_disabled` the one of everybody while the kill switch is
    thrown (`is_enabled` is False).
    """

    key: str
    type: FlagType
    default: str
    when_disabled: str
    agent: str = ""
    subject: str = ""
    variants: tuple[FlagVariant, ...] = ()
    rules: tuple[Rule, ...] = ()
    is_enabled: bool = True
    _values: Mapping[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        values = {variant.name: variant.value for variant in self.all_variants}
        object.__setattr__(self, "_values", values)

    @property
    def all_variants(self) -> tuple[FlagVariant, ...]:
        """Its variants with those that its type brings: `on` and `off` of a tool, `version` of a path (no value)."""
        if self.type == FlagType.TOOL:
            return SWITCH
        return ((FlagVariant(AS_VERSION, MISSING),) if self.type == FlagType.PATH else ()) + self.variants

    def has(self, name: str) -> bool:
        """Whether it has a variant of this name."""
        return name in self._values

    def value_of(self, name: str) -> Any:
        """The value of a variant; MISSING for what the version says, and for a variant that is not there.

        A number is a float even where JSON writes it without a fraction: `1` is `1.0`.
        """
        value = self._values.get(name, MISSING)
        return float(value) if self.type == FlagType.NUMBER and value is not MISSING else value


def write_flag(flag: Flag) -> str:
    """The flag's canonical JSON. Raises NotCanonicalisable for a value that has none."""
    value: dict[str, Any] = {
        "key": flag.key,
        "type": str(flag.type),
        "agent": flag.agent,
        "subject": flag.subject,
        "default": flag.default,
        "when_disabled": flag.when_disabled,
        "is_enabled": flag.is_enabled,
        "variants": [{"name": each.name, "value": each.value} for each in flag.variants],
        "rules": [_rule_json(rule) for rule in flag.rules],
    }
    return canonical(value)


def read_flag(body: str) -> Flag:
    """The flag of a canonical JSON text, as `write_flag` wrote it."""
    value = json.loads(body)
    variants = tuple(FlagVariant(each["name"], each["value"]) for each in value.pop("variants"))
    rules = tuple(_read_rule(each) for each in value.pop("rules"))
    return Flag(type=FlagType(value.pop("type")), variants=variants, rules=rules, **value)


def _rule_json(rule: Rule) -> dict[str, Any]:
    value: dict[str, Any] = {"name": rule.name, "gives": rule.gives}
    for name in ("callers", "channels", "variants"):
        if listed := getattr(rule, name):
            value[name] = sorted(listed)
    if rule.schedule:
        value["schedule"] = _schedule_json(rule.schedule)
    if rule.is_split or rule.salt:
        value |= {"share": rule.share, "salt": rule.salt}
    return value


def _read_rule(value: Mapping[str, Any]) -> Rule:
    callers, channels, variants = (frozenset(value.get(name, ())) for name in ("callers", "channels", "variants"))
    schedule = _read_schedule(value["schedule"]) if "schedule" in value else None
    share, salt = value.get("share", BUCKETS), value.get("salt", "")
    return Rule(value["name"], value["gives"], callers, channels, variants, schedule, share, salt)


def _schedule_json(schedule: Schedule) -> dict[str, Any]:
    value: dict[str, Any] = {"days": list(schedule.days), "start": schedule.start, "stop": schedule.stop}
    days = {"first": schedule.first, "last": schedule.last}
    return value | {name: day.isoformat() for name, day in days.items() if day}


def _read_schedule(value: Mapping[str, Any]) -> Schedule:
    first, last = (date.fromisoformat(value[name]) if name in value else None for name in ("first", "last"))
    return Schedule(tuple(value["days"]), value["start"], value["stop"], first, last)
