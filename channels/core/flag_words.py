"""Says a flag in the words of the people who set it: what it acts on, what it gives, to whom, and when."""

import json
from collections.abc import Sequence
from typing import Any

from agentversions.core.paths import MISSING, UnknownPath, label_of, unit_of
from agentversions.core.wording import say_value

from .flags import AS_VERSION, OFF, ON, WHOLE_DAY, Flag, FlagType, Rule, Schedule
from .phone_numbers import shown

LONGEST_VALUE = 80
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TYPES = {
    FlagType.TOOL: "Tool switch",
    FlagType.PATH: "Behaviour",
    FlagType.BOOLEAN: "Yes or no",
    FlagType.STRING: "Text",
    FlagType.INTEGER: "Whole number",
    FlagType.NUMBER: "Number",
    FlagType.JSON: "JSON",
}
"""What each type is called."""


def acts_on(flag: Flag) -> str:
    """What a flag acts on: `Tool transfer_to_human`, `Background sound`, `Value for the agent's code`."""
    if flag.type == FlagType.TOOL:
        return f"Tool {flag.subject}"
    if flag.type == FlagType.PATH:
        return label_of(flag.subject) or flag.subject
    return f"Value for the agent's code ({TYPES[flag.type].lower()})"


def gives(flag: Flag, variant: str) -> str:
    """What one of its variants gives, as the end of a sentence: `the tool is switched off`, `“long”: 900 ms`."""
    if flag.type == FlagType.TOOL:
        known = {ON: "the tool stays as the version has it", OFF: "the tool is switched off"}
        return known.get(variant, f"“{variant}”")
    if flag.type == FlagType.PATH and variant == AS_VERSION:
        return "what the version says"
    return f"“{variant}”: {value_words(flag, flag.value_of(variant))}"


def value_words(flag: Flag, value: Any) -> str:
    """A value of this flag in a few words."""
    if value is MISSING:
        return "what the version says"
    if flag.type == FlagType.PATH:
        words = say_value(value, _unit(flag.subject))
    else:
        words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= LONGEST_VALUE else f"{words[: LONGEST_VALUE - 1]}…"


def _unit(path: str) -> str:
    try:
        return unit_of(path)
    except UnknownPath:
        return ""


def conditions(rule: Rule) -> tuple[str, ...]:
    """To whom a rule gives its variant, one piece per condition; empty when everybody meets it."""
    found = []
    if rule.callers:
        found.append(f"{len(rule.callers):,} caller{'' if len(rule.callers) == 1 else 's'} on a list")
    if rule.channels:
        found.append(f"calls to {_either(sorted(map(shown, rule.channels)))}")
    if rule.variants:
        found.append(f"callers of the A/B variant {_either([f'“{name}”' for name in sorted(rule.variants)])}")
    if rule.schedule:
        found.append(schedule_words(rule.schedule))
    if rule.is_split:
        found.append(f"{rule.percent} % of callers")
    return tuple(found)


def rule_words(rule: Rule) -> str:
    """All conditions as one phrase: `12 callers on a list, Monday to Friday, 10 % of callers`; `everybody`."""
    return ", ".join(conditions(rule)) or "everybody"


def schedule_words(schedule: Schedule) -> str:
    """Days and hours in words: `Monday to Friday 18:00 to 08:00 the next day, until 24 Dec 2026`."""
    is_whole_day = schedule.start == 0 and schedule.stop == WHOLE_DAY
    hours = "" if is_whole_day else f"{clock(schedule.start)} to {clock(schedule.stop)}"
    if schedule.is_overnight:
        hours += " the next day"
    words = [" ".join(part for part in (_days_words(schedule.days), hours) if part) or "every day"]
    if schedule.first and schedule.last:
        words.append(f"{schedule.first:%-d %b %Y} to {schedule.last:%-d %b %Y}")
    elif schedule.first:
        words.append(f"from {schedule.first:%-d %b %Y}")
    elif schedule.last:
        words.append(f"until {schedule.last:%-d %b %Y}")
    return ", ".join(words)


def clock(minute: int) -> str:
    """A minute of the day as `08:00`; the end of the day is `24:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _days_words(days: Sequence[int]) -> str:
    """`Monday to Friday`, `Monday, Wednesday`, `Friday to Monday`; empty for every day."""
    if not days or len(set(days)) == 7:
        return ""
    # A run may go over the end of the week: it begins after a day that is not among them.
    begins = [day for day in sorted(days) if (day - 2) % 7 + 1 not in days]
    words = []
    for first in begins:
        length = 1
        while (first - 1 + length) % 7 + 1 in days:
            length += 1
        last = (first - 2 + length) % 7
        if length == 1:
            words.append(DAYS[first - 1])
        else:
            words.append(f"{DAYS[first - 1]} {'to' if length > 2 else 'and'} {DAYS[last]}")
    return ", ".join(words)


def _either(names: Sequence[str]) -> str:
    shown_names = list(names[:5])
    if len(names) > 5:
        shown_names.append(f"{len(names) - 5:,} more")
    return shown_names[0] if len(shown_names) == 1 else f"{', '.join(shown_names[:-1])} or {shown_names[-1]}"
