"""What keeps a flag from being saved; which rules can never be reached, against trying every situation."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.core.caller_lists import MOST_CALLERS
from channels.core.flag_checks import errors_in
from channels.core.flag_reach import out_of_reach
from channels.core.flag_rules import Situation, meets
from channels.core.flags import Flag, FlagType, FlagVariant, Rule, Schedule, read_flag, write_flag
from tests.core.flag_values import CALLERS, CHANNELS, VARIANTS, flags, rules

PLAIN = Flag("greeting", FlagType.STRING, "one", "one", variants=(FlagVariant("one", "1"), FlagVariant("two", "2")))
TOOL = Flag("no-transfer", FlagType.TOOL, "on", "on", subject="transfer")
PATH = Flag("model", FlagType.PATH, "version", "version", subject="model.name", variants=(FlagVariant("x", "y"),))


def ruled(*listed: Rule) -> Flag:
    return replace(PLAIN, rules=listed)


@pytest.mark.parametrize("flag", [PLAIN, TOOL, PATH, ruled(Rule("Night", "two", schedule=Schedule((7,), 1200, 360)))])
def test_a_flag_that_can_be_saved_has_no_errors(flag: Flag) -> None:
    assert errors_in(flag) == ()
    assert read_flag(write_flag(flag)) == flag


def changed(flag: Flag, **changes: Any) -> Flag:
    return replace(flag, **changes)


def valued(kind: FlagType, value: Any) -> Flag:
    return Flag("v", kind, "one", "one", variants=(FlagVariant("one", value),))


@pytest.mark.parametrize(
    ("flag", "path", "words"),
    [
        (changed(PLAIN, key="Greeting"), "key", "a–z, 0–9"),
        (changed(PLAIN, key=""), "key", "1 to 100"),
        (changed(PLAIN, key="a" * 101), "key", "1 to 100"),
        (changed(PLAIN, key="a\n"), "key", "a–z, 0–9"),
        (changed(TOOL, subject=""), "subject", "Say the tool"),
        (changed(PATH, subject=""), "subject", "Say the path"),
        (changed(PLAIN, subject="model.name"), "subject", "no tool and no path"),
        (changed(TOOL, variants=PLAIN.variants), "variants", "on and off"),
        (changed(TOOL, default="one"), "default", "Choose one of “on”, “off”"),
        (changed(PLAIN, default="gone"), "default", "no variant “gone”"),
        (changed(PLAIN, when_disabled="gone"), "when_disabled", "Choose one of “one”, “two”"),
        (changed(PLAIN, variants=(*PLAIN.variants, FlagVariant("", "3"))), "variants.2.name", "needs a name"),
        (changed(PLAIN, variants=(*PLAIN.variants, FlagVariant("x" * 61, "3"))), "variants.2.name", "at most 60"),
        (changed(PATH, variants=(FlagVariant("version", "y"),)), "variants.0.name", "what the version says"),
        (changed(PLAIN, variants=tuple(FlagVariant(str(n), "") for n in range(21)), default="1", when_disabled="1"),
         "variants", "at most 20"),
        (valued(FlagType.BOOLEAN, 1), "variants.0.value", "true or false"),
        (valued(FlagType.STRING, 1), "variants.0.value", "must be text"),
        (valued(FlagType.INTEGER, True), "variants.0.value", "a whole number"),
        (valued(FlagType.INTEGER, 1.5), "variants.0.value", "a whole number"),
        (valued(FlagType.NUMBER, "1"), "variants.0.value", "a number"),
        (valued(FlagType.NUMBER, True), "variants.0.value", "a number"),
        (valued(FlagType.NUMBER, float("nan")), "variants.0.value", "not a finite number"),
        (valued(FlagType.INTEGER, 2**53), "variants.0.value", "beyond 2^53"),
        (valued(FlagType.JSON, "text"), "variants.0.value", "object or a list"),
        (valued(FlagType.JSON, {"a": "\x00"}), "variants.0.value", "NUL"),
        (valued(FlagType.STRING, "x" * 20_000), "variants.0.value", "more than 20 kB"),
        (ruled(Rule("", "gone")), "rules.0.gives", "Rule 1 gives “gone”"),
        (ruled(Rule("n" * 61, "two")), "rules.0.name", "name of rule 1 is longer"),
        (ruled(Rule("", "two", share=-1, salt="s")), "rules.0.share", "0 to 100 %"),
        (ruled(Rule("", "two", share=100_001, salt="s")), "rules.0.share", "0 to 100 %"),
        (ruled(Rule("", "two", share=5)), "rules.0.salt", "no salt of its own"),
        (ruled(*[Rule("", "two", share=n, salt=str(n)) for n in range(21)]), "rules", "at most 20 rules"),
        (ruled(Rule("", "two", frozenset(map(str, range(MOST_CALLERS + 1))))), "rules", "at most 50,000 callers"),
        (ruled(Rule("", "two", schedule=Schedule((8,)))), "rules.0.schedule.days", "1 (Monday) to 7"),
        (ruled(Rule("", "two", schedule=Schedule((1, 1)))), "rules.0.schedule.days", "each once"),
        (ruled(Rule("", "two", schedule=Schedule((), -1))), "rules.0.schedule.start", "between 00:00 and 24:00"),
        (ruled(Rule("", "two", schedule=Schedule((), 0, 1441))), "rules.0.schedule.start", "between 00:00"),
        (ruled(Rule("", "two", schedule=Schedule((), 60, 60))), "rules.0.schedule.stop", "same minute"),
        (ruled(Rule("", "two", schedule=Schedule(first=date(2026, 2, 2), last=date(2026, 2, 1)))),
         "rules.0.schedule.last", "ends (2026-02-01) before it begins (2026-02-02)"),
        (ruled(Rule("", "two", schedule=Schedule(first=date(1, 1, 1)))), "rules.0.schedule.first", "from 2000 to"),
        (ruled(Rule("", "two", schedule=Schedule((7,), first=date(2026, 11, 16), last=date(2026, 11, 20)))),
         "rules.0", "schedule is never open"),
        (ruled(Rule("All", "one"), Rule("Some", "two", frozenset({"+33612345678"}))), "rules.1",
         "Rule 2 (“Some”) can never apply: rule 1 (“All”) comes before it and takes every call"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_field(flag: Flag, path: str, words: str) -> None:
    errors = errors_in(flag)
    assert [error.path for error in errors] == [path]
    assert words in errors[0].message
    assert errors[0].message.endswith(".")


def test_variants_of_one_name_and_rules_of_one_salt_are_said_at_each() -> None:
    twice = changed(PLAIN, variants=(*PLAIN.variants, FlagVariant("one", "3")))
    assert [error.path for error in errors_in(twice)] == ["variants.0.name", "variants.2.name"]
    alike = ruled(Rule("", "two", share=5, salt="s"), Rule("", "one", share=5, salt="s"))
    assert [error.path for error in errors_in(alike)] == ["rules.0.salt", "rules.1.salt"]


def test_a_flag_that_carries_a_value_needs_one() -> None:
    paths = {error.path for error in errors_in(changed(PLAIN, variants=()))}
    assert paths == {"variants", "default", "when_disabled"}


@given(flags())
@settings(deadline=None)
def test_what_is_well_made_is_refused_only_for_rules_out_of_reach(flag: Flag) -> None:
    assert [error.path for error in errors_in(flag)] == [f"rules.{each.rule}" for each in out_of_reach(flag)]


ME = frozenset({"+33612345678"})
YOU = frozenset({"+33687654321"})
HALVES = (Schedule((), 0, 720), Schedule((), 720, 1440))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ((Rule("", "one", ME), Rule("", "two", ME)), {1: (0,)}),
        ((Rule("", "one", ME | YOU), Rule("", "two", ME)), {1: (0,)}),
        ((Rule("", "one", ME), Rule("", "two", YOU), Rule("", "one", ME | YOU)), {2: (0, 1)}),
        ((Rule("", "one", ME), Rule("", "two", ME | YOU)), {}),
        ((Rule("", "one", ME), Rule("", "two")), {}),
        ((Rule("", "one", share=99_999, salt="s"), Rule("", "two")), {}),
        ((Rule("", "one"), Rule("", "two", share=5, salt="s")), {1: (0,)}),
        ((*(Rule("", "one", schedule=half) for half in HALVES), Rule("", "two", ME)), {2: (0, 1)}),
        ((Rule("", "one", schedule=HALVES[0]), Rule("", "two", schedule=HALVES[1])), {}),
        ((Rule("", "one", channels=ME), Rule("", "two", ME, channels=YOU)), {}),
        ((Rule("", "one", schedule=Schedule((5,), 1320, 120)), Rule("", "two", schedule=Schedule((6,), 0, 120))),
         {1: (0,)}),
        ((Rule("", "one", schedule=Schedule((5,), 1320, 120)), Rule("", "two", schedule=Schedule((5,), 0, 120))), {}),
        ((Rule("", "one", schedule=Schedule(first=date(2026, 1, 1))), Rule("", "two")), {}),
        ((Rule("", "one", schedule=Schedule(first=date(2026, 1, 1))),
          Rule("", "two", schedule=Schedule(last=date(2025, 12, 31))), Rule("", "one")), {2: (0, 1)}),
    ],
)  # fmt: skip
def test_rules_that_are_never_reached_are_found_with_those_that_take_their_calls(
    listed: tuple[Rule, ...], expected: dict[int, tuple[int, ...]]
) -> None:
    assert {each.rule: each.taken_by for each in out_of_reach(ruled(*listed))} == expected


MOMENTS = [datetime(2026, 2, 20, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24 * 48)]


@given(st.lists(rules(), min_size=1, max_size=4))
@settings(deadline=None, max_examples=40)
def test_a_rule_is_out_of_reach_exactly_when_no_situation_reaches_it(listed: list[Rule]) -> None:
    """Every caller, channel, variant and hour around the days that schedules name, one after another."""
    found = {each.rule for each in out_of_reach(ruled(*listed))}
    open_at = {tuple(rule.schedule is None or rule.schedule.is_open(at) for rule in listed) for at in MOMENTS}
    others = product((None, *CALLERS), ("", *CHANNELS), (None, *VARIANTS))
    reached = set()
    timeless = [replace(rule, schedule=None) for rule in listed]
    for caller, channel, variant in others:
        situation = Situation(MOMENTS[0], UTC, "unit", caller, channel, variant)
        met = [meets(rule, situation) for rule in timeless]
        for is_open in open_at:
            for index in range(len(listed)):
                if met[index] and is_open[index]:
                    reached.add(index)
                    if not listed[index].is_split:
                        break
    assert found == set(range(len(listed))) - reached


def test_twenty_rules_of_every_kind_are_checked_in_a_moment() -> None:
    listed = []
    for n in range(20):
        callers = frozenset(f"{n}-{m}" for m in range(2_000))
        schedule = Schedule((n % 7 + 1,), n * 30, n * 30 + 700, date(2026, 1, n + 1), date(2026, 2, n + 1))
        listed.append(Rule("", "two", callers, frozenset({f"c{n}", "c"}), frozenset({f"v{n % 3}"}), schedule))
    started = datetime.now(UTC)
    assert out_of_reach(ruled(*listed)) == ()
    assert datetime.now(UTC) - started < timedelta(seconds=5)
