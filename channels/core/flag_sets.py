"""The flags of one agent, compiled: what calls have in common is worked out once, the rest in microseconds.

`FlagSet.give` says what `flag_rules.evaluate` and `flag_overlay.changes_of` say of the same flags, as JSON and changes.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .flag_programs import FlagInForce, Given, Program, Split, Wish, given_in, split_of
from .flag_rules import FlagReason
from .flags import Rule, Schedule
from .local_times import zone_of

__all__ = ["FlagInForce", "FlagSet", "Wish"]

MOST_PROGRAMS = 2_000
"""Kinds of calls that a set remembers: each listed caller, channel, variant and state of the schedules is one."""
MOST_MINUTES = 1_000

_Kind = tuple[str | None, str | None, str | None, frozenset[Schedule]]
"""Caller, channel and variant (None where no rule names them), and the schedules that are open."""


@dataclass(frozen=True, slots=True)
class _Moving:
    """A flag that depends on the call: its rules up to the first that takes everybody, and what is given by none."""

    lines: tuple[tuple[Rule, Given], ...]
    otherwise: Given

    def settled(self, kind: _Kind) -> Given | Split:
        """What is left of it for calls of this kind."""
        return split_of(((rule, given) for rule, given in self.lines if _meets(rule, kind)), self.otherwise)


class FlagSet:
    """Flags of one agent. `counts_unit`, `lists_callers` and `has_schedules` say what of a call they look at, so that
    nothing else is worked out; `is_constant`: every call gets the same. `troubles`: flags that give no value, why."""

    def __init__(self, in_force: tuple[FlagInForce, ...] = ()) -> None:
        self.in_force = in_force
        self._parts = tuple(_compile(each) for each in in_force)
        moving = [part for part in self._parts if isinstance(part, _Moving)]
        rules = [rule for each in moving for rule, _ in each.lines]
        self._callers = frozenset().union(*(rule.callers for rule in rules))
        self._channels = frozenset().union(*(rule.channels for rule in rules))
        self._variants = frozenset().union(*(rule.variants for rule in rules))
        self._schedules = frozenset(rule.schedule for rule in rules if rule.schedule)
        self.lists_callers = bool(self._callers)
        self.has_schedules = bool(self._schedules)
        self.counts_unit = any(rule.is_split for rule in rules)
        self.looks_at_callers = self.counts_unit or self.lists_callers
        self.is_constant = not moving
        self._constant = Program(part for part in self._parts if isinstance(part, Given))
        self._programs: dict[_Kind, Program] = {}
        self._open: dict[tuple[str, int], frozenset[Schedule]] = {}
        given = [each for part in self._parts for each in _all_given(part)]
        self.troubles = {each.source.flag.key: each.evaluation.words for each in given if each.evaluation.error}
        self.may_change = any(each.is_wish for each in given)

    @property
    def constant_values(self) -> dict[str, Any]:
        """The plain values that every call gets, by key."""
        values: dict[str, Any] = json.loads(b"{%s}" % self._constant.members)
        return values

    def give(
        self, *, unit: str, caller: str | None, channel: str, variant: str | None, at: float, zone: str
    ) -> tuple[bytes, Wish]:
        """The plain values as members of a JSON object (without braces), and what is wanted of the configuration.

        A call as `flag_rules.Situation` has it, with the moment in seconds since 1970 and its zone's name.
        """
        if self.is_constant:
            return self._constant.run(unit)
        kind = (
            caller if caller in self._callers else None,
            channel if channel in self._channels else None,
            variant if variant in self._variants else None,
            self._open_at(at, zone) if self._schedules else self._schedules,
        )
        program = self._programs.get(kind)
        if program is None:
            if len(self._programs) >= MOST_PROGRAMS:
                self._programs.clear()
            parts = [part.settled(kind) if isinstance(part, _Moving) else part for part in self._parts]
            program = self._programs[kind] = Program(parts)
        return program.run(unit)

    def _open_at(self, at: float, zone: str) -> frozenset[Schedule]:
        """The schedules that are open in the minute of this moment."""
        minute = (zone, int(at // 60))
        found = self._open.get(minute)
        if found is None:
            if len(self._open) >= MOST_MINUTES:
                self._open.clear()
            local = datetime.fromtimestamp(at, UTC).astimezone(zone_of(zone))
            found = self._open[minute] = frozenset(each for each in self._schedules if each.is_open(local))
        return found


def _compile(source: FlagInForce) -> _Moving | Given:
    flag = source.flag
    if not flag.is_enabled:
        return given_in(source, flag.when_disabled, FlagReason.DISABLED)
    lines: list[tuple[Rule, Given]] = []
    for index, rule in enumerate(flag.rules):
        given = given_in(source, rule.gives, FlagReason.TARGETING_MATCH, index)
        if not (rule.callers or rule.channels or rule.variants or rule.schedule or rule.is_split):
            return _Moving(tuple(lines), given) if lines else given
        lines.append((rule, given))
    otherwise = given_in(source, flag.default, FlagReason.DEFAULT)
    return _Moving(tuple(lines), otherwise) if lines else otherwise


def _meets(rule: Rule, kind: _Kind) -> bool:
    caller, channel, variant, is_open = kind
    return (
        (not rule.callers or caller in rule.callers)
        and (not rule.channels or channel in rule.channels)
        and (not rule.variants or variant in rule.variants)
        and (rule.schedule is None or rule.schedule in is_open)
    )


def _all_given(part: _Moving | Given) -> list[Given]:
    return [part] if isinstance(part, Given) else [*(given for _, given in part.lines), part.otherwise]
