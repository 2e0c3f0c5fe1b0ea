"""What changed from one revision of a flag to another, as sentences for its history."""

from collections.abc import Callable, Iterator

from agentversions.core.equality import same

from .flag_words import acts_on, rule_words, schedule_words, value_words
from .flags import Flag, Rule
from .phone_numbers import shown

MOST_NAMED = 5
_Same = Callable[[Rule, Rule, bool], bool]


def changes_in_words(before: Flag, after: Flag) -> tuple[str, ...]:
    """Every difference of two revisions; empty when they do the same."""
    return (*_of_the_flag(before, after), *_of_variants(before, after), *_of_rules(before, after))


def _of_the_flag(before: Flag, after: Flag) -> Iterator[str]:
    if before.is_enabled != after.is_enabled:
        yield "Switched on" if after.is_enabled else "Switched off"
    if before.subject != after.subject:
        yield f"Acts on {acts_on(after)} instead of {acts_on(before)}"
    if before.default != after.default:
        yield f"Everybody else: “{before.default}” → “{after.default}”"
    if before.when_disabled != after.when_disabled:
        yield f"While switched off: “{before.when_disabled}” → “{after.when_disabled}”"


def _of_variants(before: Flag, after: Flag) -> Iterator[str]:
    old = {each.name: each.value for each in before.variants}
    new = {each.name: each.value for each in after.variants}
    for name in new:
        if name not in old:
            yield f"Variant “{name}” added: {value_words(after, new[name])}"
        elif not same(old[name], new[name]):
            yield f"Variant “{name}”: {value_words(before, old[name])} → {value_words(after, new[name])}"
    yield from (f"Variant “{name}” removed" for name in old if name not in new)


def _of_rules(before: Flag, after: Flag) -> Iterator[str]:
    partner = _partners(before.rules, after.rules)
    for index, rule in enumerate(after.rules):
        if index in partner:
            yield from (f"{_called(index, rule)}: {words}" for words in _of_rule(before.rules[partner[index]], rule))
        else:
            yield f"{_called(index, rule)} added: {rule_words(rule)} → “{rule.gives}”"
    for index, rule in enumerate(before.rules):
        if index not in partner.values():
            yield f"{_called(index, rule)} removed"
    order = [partner[index] for index in sorted(partner)]
    if order != sorted(order):
        yield "The rules stand in another order"


def _partners(before: tuple[Rule, ...], after: tuple[Rule, ...]) -> dict[int, int]:
    """Which rule each was before: the same one, of the same salt, name or conditions, or in the same place."""
    found: dict[int, int] = {}

    def pair(is_same: _Same) -> None:
        for index, rule in enumerate(after):
            free = (n for n in range(len(before)) if n not in found.values() and is_same(before[n], rule, n == index))
            if index not in found and (match := next(free, None)) is not None:
                found[index] = match

    pair(lambda old, new, _: old == new)
    pair(lambda old, new, _: bool(new.salt) and old.salt == new.salt)
    pair(lambda old, new, _: bool(new.name) and old.name == new.name)
    pair(lambda old, new, _: any(_asks(new)) and _asks(old) == _asks(new))
    pair(lambda old, new, is_there: is_there and not (old.salt and new.salt) and len(before) == len(after))
    return found


def _asks(rule: Rule) -> tuple[object, ...]:
    """What a call must meet, share aside."""
    return rule.callers, rule.channels, rule.variants, rule.schedule


def _of_rule(before: Rule, after: Rule) -> Iterator[str]:
    if before.name != after.name:
        yield f"named “{after.name}”" if after.name else "without a name"
    if before.gives != after.gives:
        yield f"gives “{after.gives}” instead of “{before.gives}”"
    if before.share != after.share:
        yield f"{before.percent} % → {after.percent} % of callers"
    # Callers are keyed hashes here: their number is all that can be said.
    yield from _counted("caller", before.callers, after.callers)
    yield from _named("number", frozenset(map(shown, before.channels)), frozenset(map(shown, after.channels)))
    yield from _named("A/B variant", before.variants, after.variants)
    if before.schedule != after.schedule:
        old, new = (schedule_words(each.schedule) if each.schedule else "always" for each in (before, after))
        yield f"{old} → {new}"


def _counted(what: str, before: frozenset[str], after: frozenset[str]) -> Iterator[str]:
    for count, done in ((len(after - before), "added"), (len(before - after), "removed")):
        if count:
            yield f"{count:,} {what}{'' if count == 1 else 's'} {done}"


def _named(what: str, before: frozenset[str], after: frozenset[str]) -> Iterator[str]:
    for names, done in ((after - before, "added"), (before - after, "removed")):
        if len(names) > MOST_NAMED:
            yield f"{len(names):,} {what}s {done}"
        elif names:
            yield f"{what}{'' if len(names) == 1 else 's'} {', '.join(sorted(names))} {done}"


def _called(index: int, rule: Rule) -> str:
    return f"Rule {index + 1} “{rule.name}”" if rule.name else f"Rule {index + 1}"
