"""What is left of flags once all that many calls have in common is decided: only splits, and what each branch gives."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from .bucketing import threshold_of
from .flag_overlay import Change, changes_of
from .flag_rules import Evaluation, FlagReason, given_by
from .flags import Flag, Rule

MOST_WISHES = 2_000
"""Combinations of changes that a program remembers; where calls differ in more ways they are put together anew."""


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
class Given:
    """What a flag gives when a rule (or none) decided: its JSON member, and whether it wants a change."""

    source: FlagInForce
    evaluation: Evaluation
    member: bytes
    is_wish: bool


@dataclass(frozen=True, slots=True)
class Split:
    """A flag of which only shares are left: salt with its colon, threshold and what it gives, in order."""

    lines: tuple[tuple[bytes, bytes, Given], ...]
    otherwise: Given

    def pick(self, unit: bytes) -> Given:
        """What a unit gets, by its buckets."""
        for prefix, threshold, given in self.lines:
            if sha256(prefix + unit).digest() < threshold:
                return given
        return self.otherwise


class Program:
    """Flags of which only splits are left."""

    def __init__(self, parts: Iterable[Given | Split]) -> None:
        parts = tuple(parts)
        fixed = [part for part in parts if isinstance(part, Given)]
        splits = [part for part in parts if isinstance(part, Split)]
        self.members = b",".join(given.member for given in fixed if given.member)
        self._values = tuple(each for each in splits if not is_overlay(each))
        self._overlays = tuple(each for each in splits if is_overlay(each))
        self._fixed = tuple(given for given in fixed if given.is_wish)
        self._wish = _wish_of(self._fixed)
        self._wishes: dict[tuple[int, ...], Wish] = {}

    def run(self, unit: str) -> tuple[bytes, Wish]:
        """The plain values as members of a JSON object (without braces), and what is wanted of the configuration."""
        data = unit.encode("utf-8", "surrogatepass")
        members = self.members
        if self._values:
            picked = [each.pick(data).member for each in self._values]
            members = b",".join([each for each in (members, *picked) if each])
        if not self._overlays:
            return members, self._wish
        given = [each.pick(data) for each in self._overlays]
        place = tuple(map(id, given))
        wish = self._wishes.get(place)
        if wish is None:
            if len(self._wishes) >= MOST_WISHES:
                self._wishes.clear()
            wish = self._wishes[place] = _wish_of([*self._fixed, *(each for each in given if each.is_wish)])
        return members, wish


def is_overlay(part: Given | Split) -> bool:
    """Whether the part acts on the configuration."""
    given = part if isinstance(part, Given) else part.otherwise
    return given.source.flag.type.is_overlay


def given_in(source: FlagInForce, variant: str, reason: FlagReason, rule: int | None = None) -> Given:
    """What a flag gives by a variant, ready to be sent."""
    flag = source.flag
    evaluation = given_by(flag, variant, reason, rule)
    member = b"" if flag.type.is_overlay or evaluation.error else _member(flag.key, evaluation.value)
    return Given(source, evaluation, member, bool(changes_of([flag], {flag.key: evaluation})))


def split_of(lines: Iterator[tuple[Rule, Given]], otherwise: Given) -> Given | Split:
    """The rules whose conditions are met, up to the first that takes everybody."""
    shares = []
    for rule, given in lines:
        if not rule.is_split:
            otherwise = given
            break
        shares.append((f"{rule.salt}:".encode("utf-8", "surrogatepass"), threshold_of(rule.share), given))
    return Split(tuple(shares), otherwise) if shares else otherwise


def _member(key: str, value: object) -> bytes:
    """A JSON member. The answer's own `"configuration":` must stay the first text of this form: clients look for it."""
    text = json.dumps({key: value}, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return text.replace('"configuration":', '"\\u0063onfiguration":').encode()


def _wish_of(given: Iterable[Given]) -> Wish:
    given = list(given)
    flags = [each.source.flag for each in given]
    choices = {each.source.flag.key: (each.source.revision, each.evaluation.variant) for each in given}
    changes = changes_of(flags, {each.source.flag.key: each.evaluation for each in given})
    return Wish(changes, choices, json.dumps(choices) if choices else "")
