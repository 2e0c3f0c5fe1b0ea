"""Which rules of a flag can never be reached, because those before them take every call that they would take.

Exact: every condition falls into finitely many classes (a caller that some rule lists, or any other; an hour between
two edges of schedules …), and a rule is out of reach when in each combination of classes that meets it an earlier rule
without a share gives its variant. A share below 100 % never takes everybody.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .flags import Flag, Rule, Schedule

SOME_MONDAY = date(2024, 1, 1)


@dataclass(frozen=True)
class OutOfReach:
    """A rule (from 0) that never applies, and the earlier rules that take all of its calls; none when it has none."""

    rule: int
    taken_by: tuple[int, ...]

    def words(self, rules: tuple[Rule, ...]) -> str:
        """What is wrong, as a sentence that says what to do."""
        name = _called(rules, self.rule)
        if not self.taken_by:
            return f"{name} can never apply: its schedule is never open. Change its days or its hours."
        before = " and ".join(_called(rules, index) for index in self.taken_by).replace("Rule", "rule")
        takes = "comes before it and takes" if len(self.taken_by) == 1 else "come before it and take"
        return f"{name} can never apply: {before} {takes} every call that it would take. Move it up, or remove it."


def out_of_reach(flag: Flag) -> tuple[OutOfReach, ...]:
    """The rules that can never apply, in order."""
    rules = flag.rules
    classes = [
        _classes_of_lists(rules, lambda rule: rule.callers),
        _classes_of_lists(rules, lambda rule: rule.channels),
        _classes_of_lists(rules, lambda rule: rule.variants),
        _classes_of_times(rules),
    ]
    whole = sum(1 << index for index, rule in enumerate(rules) if not rule.is_split)
    found = []
    for index in range(len(rules)):
        earlier = whole & ((1 << index) - 1)
        takers = _takers([[mask for mask in masks if mask >> index & 1] for masks in classes], earlier)
        if takers is not None:
            found.append(OutOfReach(index, tuple(n for n in range(index) if takers >> n & 1)))
    return tuple(found)


def _takers(classes: list[list[int]], earlier: int) -> int | None:
    """The earlier rules (bits) that take every combination of these classes, the first of each; None when one is free.

    A class is the rules (bits) that its members meet.
    """
    if earlier == 0 and all(classes):
        return None
    if not classes:
        return earlier & -earlier
    takers = 0
    for mask in {mask & earlier for mask in classes[0]}:
        deeper = _takers(classes[1:], mask)
        if deeper is None:
            return None
        takers |= deeper
    return takers


def _classes_of_lists(rules: tuple[Rule, ...], listed: Callable[[Rule], frozenset[str]]) -> list[int]:
    """The different classes of a listed condition: of everything that some rule lists, and of all the rest."""
    others = sum(1 << index for index, rule in enumerate(rules) if not listed(rule))
    masks: dict[str, int] = {}
    for index, rule in enumerate(rules):
        for each in listed(rule):
            masks[each] = masks.get(each, others) | 1 << index
    return list({others, *masks.values()})


def _classes_of_times(rules: tuple[Rule, ...]) -> list[int]:
    """The different classes of moments. Between two edges of any schedule all moments of a day are alike."""
    schedules = [rule.schedule for rule in rules]
    minutes = {0} | {edge % (24 * 60) for each in schedules if each for edge in (each.start, each.stop)}
    moments = [
        datetime.combine(day, time(minute // 60, minute % 60))
        for day in _days(each for each in schedules if each)
        for minute in minutes
    ]
    always = sum(1 << index for index, each in enumerate(schedules) if each is None)
    dated = [(1 << index, each) for index, each in enumerate(schedules) if each]
    return list({sum((bit for bit, each in dated if each.is_open(moment)), always) for moment in moments})


def _days(schedules: Iterable[Schedule]) -> set[date]:
    """Some week, and the days around every first and last day: a week and a night on either side show each pattern."""
    days = {SOME_MONDAY + timedelta(days=n) for n in range(7)}
    for each in schedules:
        for edge in (each.first, each.last):
            days |= {edge + timedelta(days=n) for n in range(-9, 10)} if edge else set()
    return days


def _called(rules: tuple[Rule, ...], index: int) -> str:
    return f"Rule {index + 1} (“{rules[index].name}”)" if rules[index].name else f"Rule {index + 1}"
