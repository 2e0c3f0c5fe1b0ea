"""Makes a flag's value of what was typed or sent: rules that go on keep their salt and the callers nobody may see."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentversions.core.reading import FieldError
from channels.core.bucketing import BUCKETS
from channels.core.flags import Flag as FlagValue
from channels.core.flags import Rule, Schedule

from .errors import FlagRefused
from .flag_callers import hash_of, known_hashes


@dataclass(frozen=True)
class WantedRule:
    """A rule as somebody wants it, with callers in clear.

    `place` is the rule (from 0) of the revision that was looked at which it goes on from: its salt stays, and its
    callers do unless `callers` replaces them. `added` come on top.
    """

    name: str
    gives: str
    place: int | None = None
    callers: tuple[str, ...] | None = None
    added: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    schedule: Schedule | None = None
    share: int = BUCKETS

    @property
    def in_clear(self) -> tuple[str, ...]:
        """The callers that were named."""
        return (self.callers or ()) + self.added


@dataclass(frozen=True)
class WrittenRules:
    """Rules as a flag holds them, and the callers on their lists that were named in clear."""

    rules: tuple[Rule, ...]
    callers: tuple[str, ...] = field(repr=False)


def write_rules(wanted: Sequence[WantedRule], before: FlagValue | None, *, may_listen: bool) -> WrittenRules:
    """The rules of a flag. Raises FlagRefused for a place that is not there, and for a list that may not be seen."""
    rules, errors = [], []
    for index, rule in enumerate(wanted):
        known = before.rules if before else ()
        if rule.place is not None and not 0 <= rule.place < len(known):
            words = f"There is no rule {rule.place} in that revision to go on from. Leave “place” out for a new rule."
            errors.append(FieldError(f"rules.{index}.place", words))
            continue
        goes_on = known[rule.place] if rule.place is not None else None
        if goes_on and goes_on.callers and rule.callers is not None and not may_listen:
            words = "Only people who may see callers replace this list. Leave it as it is, or add callers to it."
            errors.append(FieldError(f"rules.{index}.callers", words))
            continue
        written = _rule(rule, goes_on)
        if goes_on and goes_on.callers and not written.callers:
            words = "The list is empty now, and the rule would take everybody. Name a caller, or remove the rule."
            errors.append(FieldError(f"rules.{index}.callers", words))
        rules.append(written)
    if errors:
        raise FlagRefused(errors)
    return WrittenRules(tuple(rules), tuple(caller for rule in wanted for caller in rule.in_clear))


def _rule(wanted: WantedRule, goes_on: Rule | None) -> Rule:
    return Rule(
        name=wanted.name,
        gives=wanted.gives,
        callers=_kept(wanted, goes_on) | {hash_of(caller) for caller in wanted.in_clear},
        channels=wanted.channels,
        variants=wanted.variants,
        schedule=wanted.schedule,
        share=wanted.share,
        salt=goes_on.salt if goes_on else "",
    )


def _kept(wanted: WantedRule, goes_on: Rule | None) -> frozenset[str]:
    """Of the list that a rule had: all, or where it is replaced those who were erased, whom nobody could name."""
    if goes_on is None or not goes_on.callers:
        return frozenset()
    return goes_on.callers if wanted.callers is None else goes_on.callers - known_hashes(goes_on.callers)
