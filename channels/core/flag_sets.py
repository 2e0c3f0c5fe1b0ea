"""The flags of one agent, compiled: what does not depend on the call is worked out once, the rest in microseconds.

`FlagSet.give` says what `flag_rules.evaluate` and `flag_overlay.changes_of` say of the same flags, as JSON and changes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .bucketing import bucket_of
from .flag_overlay import Change, changes_of
from .flag_rules import Evaluation, FlagReason, Situation, given_by
from .flags import Flag, Rule, Schedule

MOST_WISHES = 2_000
"""Combinations of changes that a set remembers; where calls differ in more ways they are put together anew."""


@dataclass(frozen=True)
class FlagInForce:
    """A flag with the number of the revision that counts."""

    flag: Flag
    revision: int


@dataclass(frozen=True)
class Wish:
    """What the flags want of a configuration for one call: the changes in order, and for each flag its revision and
    variant. `key` tells wishes apart: revisions never change, so the same key always means the same changes."""

    changes: tuple[Change, ...] = ()
    choices: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a flag gives when a rule (or none) decided: its JSON member, and the change that it wants, if any."""

    source: FlagInForce
    evaluation: Evaluation
    member: bytes
    is_wish: bool


_Line = tuple[
    frozenset[str] | None, frozenset[str] | None, frozenset[str] | None, Schedule | None, str | None, int, _Given
]
"""A rule: callers, channels, variants, schedule, a split's salt (None: no such condition), its share, what it gives."""


@dataclass(frozen=True, slots=True)
class _Moving:
    """A flag that depends on the call: its rules up to the first that takes everybody, and what nobody's rule gives."""

    lines: tuple[_Line, ...]
    otherwise: _Given

    def pick(self, call: Situation) -> _Given:
        """What this call gets, as `flag_rules.evaluate` says."""
        for callers, channels, variants, schedule, salt, share, given in self.lines:
            if (
                (callers is None or call.caller in callers)
                and (channels is None or call.channel in channels)
                and (variants is None or call.variant in variants)
                and (schedule is None or schedule.is_open(call.local))
                and (salt is None or bucket_of(salt, call.unit or "") < share)
            ):
                return given
        return self.otherwise


class FlagSet:
    """Flags of one agent. `counts_unit`, `lists_callers` and `has_schedules` say what of a call they look at, so that
    nothing else is worked out; `is_constant`: every call gets the same. `troubles`: flags that give no value, why."""

    def __init__(self, in_force: tuple[FlagInForce, ...] = ()) -> None:
        self.in_force = in_force
        moving, fixed = [], []
        for each in in_force:
            compiled = _compile(each)
            if isinstance(compiled, _Moving):
                moving.append(compiled)
            else:
                fixed.append(compiled)
        lines = [line for each in moving for line in each.lines]
        self.lists_callers = any(line[0] is not None for line in lines)
        self.has_schedules = any(line[3] is not None for line in lines)
        self.counts_unit = any(line[4] is not None for line in lines)
        self.is_constant = not moving
        self._members = b",".join(given.member for given in fixed if given.member)
        self._fixed = tuple(given for given in fixed if given.is_wish)
        self._values = tuple(each for each in moving if not _is_overlay(each))
        self._overlays = tuple(each for each in moving if _is_overlay(each))
        self._wishes: dict[tuple[int, ...], Wish] = {}
        self._constant_wish = _wish_of(self._fixed)
        every = [*fixed, *(given for each in moving for given in (*(line[6] for line in each.lines), each.otherwise))]
        self.troubles = {each.source.flag.key: each.evaluation.words for each in every if each.evaluation.error}

    @property
    def constant_values(self) -> dict[str, Any]:
        """The plain values that every call gets, by key."""
        values: dict[str, Any] = json.loads(b"{%s}" % self._members)
        return values

    @property
    def looks_at_callers(self) -> bool:
        """Whether it matters who calls."""
        return self.counts_unit or self.lists_callers

    @property
    def may_change(self) -> bool:
        """Whether any call's configuration may become another."""
        return bool(self._overlays) or bool(self._constant_wish.changes)

    def give(self, call: Situation) -> tuple[bytes, Wish]:
        """The plain values as the members of a JSON object (without braces), and what is wanted of the configuration.

        The call has a unit; its caller, zone and moment are looked at only where the set says so.
        """
        members = self._members
        if self._values:
            picked = [each.pick(call).member for each in self._values]
            members = b",".join([each for each in (members, *picked) if each])
        if not self._overlays:
            return members, self._constant_wish
        given = [each.pick(call) for each in self._overlays]
        place = tuple(map(id, given))
        wish = self._wishes.get(place)
        if wish is None:
            if len(self._wishes) >= MOST_WISHES:
                self._wishes.clear()
            wish = self._wishes[place] = _wish_of([*self._fixed, *(each for each in given if each.is_wish)])
        return members, wish


def _compile(source: FlagInForce) -> _Moving | _Given:
    flag = source.flag
    if not flag.is_enabled:
        return _given(source, flag.when_disabled, FlagReason.DISABLED)
    lines: list[_Line] = []
    for index, rule in enumerate(flag.rules):
        given = _given(source, rule.gives, FlagReason.TARGETING_MATCH, index)
        if _takes_everybody(rule):
            return _Moving(tuple(lines), given) if lines else given
        lines.append(
            (
                rule.callers or None,
                rule.channels or None,
                rule.variants or None,
                rule.schedule,
                rule.salt if rule.is_split else None,
                rule.share,
                given,
            )
        )
    otherwise = _given(source, flag.default, FlagReason.DEFAULT)
    return _Moving(tuple(lines), otherwise) if lines else otherwise


def _takes_everybody(rule: Rule) -> bool:
    conditions = (rule.callers, rule.channels, rule.variants, rule.schedule)
    return not any(conditions) and not rule.is_split


def _given(source: FlagInForce, variant: str, reason: FlagReason, rule: int | None = None) -> _Given:
    evaluation = given_by(source.flag, variant, reason, rule)
    is_overlay = source.flag.type.is_overlay
    member = b"" if is_overlay or evaluation.error else _member(source.flag.key, evaluation.value)
    is_wish = bool(changes_of([source.flag], {source.flag.key: evaluation}))
    return _Given(source, evaluation, member, is_wish)


def _member(key: str, value: object) -> bytes:
    """A JSON member. The answer's own `"configuration":` must stay the first text of this form: clients look for it."""
    text = json.dumps({key: value}, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return text.replace('"configuration":', '"\\u0063onfiguration":').encode()


def _is_overlay(moving: _Moving) -> bool:
    return moving.otherwise.source.flag.type.is_overlay


def _wish_of(given: Iterable[_Given]) -> Wish:
    given = list(given)
    flags = [each.source.flag for each in given]
    choices = {each.source.flag.key: (each.source.revision, each.evaluation.variant) for each in given}
    changes = changes_of(flags, {each.source.flag.key: each.evaluation for each in given})
    return Wish(changes, choices, json.dumps(choices) if choices else "")
