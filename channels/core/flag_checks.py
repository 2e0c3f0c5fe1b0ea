"""What keeps a flag from being saved, each mistake at its field, in a sentence that says what to do."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from agentversions.core.canonical_json import NotCanonicalisable, canonical
from agentversions.core.reading import FieldError

from .bucketing import BUCKETS
from .caller_lists import MOST_CALLERS
from .flag_reach import out_of_reach
from .flags import AS_VERSION, KEY, WHOLE_DAY, Flag, FlagType, FlagVariant, Rule, Schedule
from .local_times import FIRST_YEAR, LAST_YEAR

MOST_RULES = 20
MOST_VARIANTS = 20
LONGEST_NAME = 60
MOST_BYTES = 20_000
"""Of one value's canonical JSON."""

_WANTED = {
    FlagType.BOOLEAN: "true or false",
    FlagType.STRING: "text",
    FlagType.INTEGER: "a whole number",
    FlagType.NUMBER: "a number",
    FlagType.JSON: "a JSON object or a list",
}


def errors_in(flag: Flag) -> tuple[FieldError, ...]:
    """What is wrong with a flag by itself (`rules.0.share`), whatever versions there are; empty when nothing is."""
    errors = [*_errors_of_subject(flag), *_errors_in_variants(flag), *_errors_in_rules(flag)]
    if errors:
        return tuple(errors)
    return tuple(FieldError(f"rules.{each.rule}", each.words(flag.rules)) for each in out_of_reach(flag))


def _errors_of_subject(flag: Flag) -> Iterator[FieldError]:
    if not KEY.fullmatch(flag.key):
        words = "A key has 1 to 100 of the characters a–z, 0–9, dot, hyphen and underscore, such as night-mode."
        yield FieldError("key", words)
    if flag.type.is_overlay and not flag.subject:
        what = "the tool" if flag.type == FlagType.TOOL else "the path, such as background_sound.enabled,"
        yield FieldError("subject", f"Say {what} that the flag acts on.")
    if not flag.type.is_overlay and flag.subject:
        yield FieldError("subject", "A flag that carries a value of its own acts on no tool and no path.")


def _errors_in_variants(flag: Flag) -> Iterator[FieldError]:
    if flag.type == FlagType.TOOL and flag.variants:
        yield FieldError("variants", "A tool switch has the variants on and off, and no others.")
        return
    if flag.type != FlagType.TOOL and not flag.variants:
        yield FieldError("variants", "Give the flag at least one variant with its value.")
    if len(flag.variants) > MOST_VARIANTS:
        yield FieldError("variants", f"A flag has at most {MOST_VARIANTS} variants.")
    count = Counter(variant.name for variant in flag.variants)
    for index, variant in enumerate(flag.variants):
        place = f"variants.{index}"
        if not 0 < len(variant.name) <= LONGEST_NAME:
            yield FieldError(f"{place}.name", f"A variant needs a name of at most {LONGEST_NAME} characters.")
        elif flag.type == FlagType.PATH and variant.name == AS_VERSION:
            yield FieldError(f"{place}.name", f"“{AS_VERSION}” is what the version says. Choose another name.")
        elif count[variant.name] > 1:
            yield FieldError(f"{place}.name", f"Two variants are called “{variant.name}”. Rename one of them.")
        if words := _wrong_value(flag.type, variant):
            yield FieldError(f"{place}.value", words)
    for name, chosen in (("default", flag.default), ("when_disabled", flag.when_disabled)):
        if not flag.has(chosen):
            yield FieldError(name, f"There is no variant “{chosen}”. {_variants_in_words(flag)}")


def _wrong_value(flag_type: FlagType, variant: FlagVariant) -> str:
    if flag_type in _WANTED and not _is_of(flag_type, variant.value):
        return f"The value of “{variant.name}” must be {_WANTED[flag_type]}."
    try:
        size = len(canonical(variant.value).encode())
    except NotCanonicalisable as error:
        return str(error)
    if size > MOST_BYTES:
        return f"The value of “{variant.name}” has more than {MOST_BYTES // 1000} kB. Shorten it."
    return ""


def _is_of(flag_type: FlagType, value: Any) -> bool:
    if flag_type == FlagType.BOOLEAN:
        return isinstance(value, bool)
    if flag_type == FlagType.STRING:
        return isinstance(value, str)
    if flag_type == FlagType.JSON:
        return isinstance(value, dict | list)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return not isinstance(value, bool) and (whole or (flag_type == FlagType.NUMBER and isinstance(value, float)))


def _errors_in_rules(flag: Flag) -> Iterator[FieldError]:
    if len(flag.rules) > MOST_RULES:
        yield FieldError("rules", f"A flag has at most {MOST_RULES} rules.")
    if sum(len(rule.callers) for rule in flag.rules) > MOST_CALLERS:
        yield FieldError("rules", f"A flag lists at most {MOST_CALLERS:,} callers.")
    salts = Counter(rule.salt for rule in flag.rules if rule.salt)
    for index, rule in enumerate(flag.rules):
        place, name = f"rules.{index}", f"Rule {index + 1}"
        if len(rule.name) > LONGEST_NAME:
            yield FieldError(f"{place}.name", f"The name of {name.lower()} is longer than {LONGEST_NAME} characters.")
        if not flag.has(rule.gives):
            words = f"{name} gives “{rule.gives}”, and there is no such variant. {_variants_in_words(flag)}"
            yield FieldError(f"{place}.gives", words)
        yield from _errors_in_share(rule, place, name)
        if salts[rule.salt] > 1:
            words = f"{name} has the salt of another rule: they would choose the same callers. Give each its own."
            yield FieldError(f"{place}.salt", words)
        if rule.schedule:
            yield from _errors_in_schedule(rule.schedule, f"{place}.schedule", name)


def _errors_in_share(rule: Rule, place: str, name: str) -> Iterator[FieldError]:
    if not 0 <= rule.share <= BUCKETS:
        yield FieldError(f"{place}.share", f"{name} must give its variant to 0 to 100 % of callers.")
    elif rule.is_split and not rule.salt:
        yield FieldError(
            f"{place}.salt", f"{name} gives its variant to a share of callers, but has no salt of its own."
        )


def _errors_in_schedule(schedule: Schedule, place: str, name: str) -> Iterator[FieldError]:
    if not set(schedule.days) <= set(range(1, 8)) or len(set(schedule.days)) != len(schedule.days):
        yield FieldError(f"{place}.days", f"The days of {name.lower()} are 1 (Monday) to 7 (Sunday), each once.")
    if not (0 <= schedule.start < WHOLE_DAY and 0 < schedule.stop <= WHOLE_DAY):
        yield FieldError(f"{place}.start", f"The hours of {name.lower()} lie between 00:00 and 24:00.")
    elif schedule.start == schedule.stop:
        words = f"{name} begins and ends at the same minute. For the whole day write 00:00 to 24:00."
        yield FieldError(f"{place}.stop", words)
    if any(day and not FIRST_YEAR <= day.year <= LAST_YEAR for day in (schedule.first, schedule.last)):
        yield FieldError(f"{place}.first", f"Give {name.lower()} years from {FIRST_YEAR} to {LAST_YEAR}.")
    elif schedule.first and schedule.last and schedule.last < schedule.first:
        yield FieldError(f"{place}.last", f"{name} ends ({schedule.last}) before it begins ({schedule.first}).")


def _variants_in_words(flag: Flag) -> str:
    names = ", ".join(f"“{variant.name}”" for variant in flag.all_variants)
    return f"Choose one of {names}." if names else "Add it first."
