"""Flags in words: rules, schedules, what changed, each rule's answer, when a flag has done its work."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from agentversions.core.reading import read_document, write_document
from channels.core.flag_changes import changes_in_words
from channels.core.flag_explaining import Outcome, trace
from channels.core.flag_rules import FlagReason, Situation
from channels.core.flag_stale import FlagFacts, same_for_everybody, stale_reasons
from channels.core.flag_typing import NotTyped, field_choices, read_clock, read_value, text_of_value
from channels.core.flag_words import acts_on, conditions, gives, rule_words, schedule_words
from channels.core.flags import Flag, FlagType, FlagVariant, Rule, Schedule
from tests.core.flag_values import flags

NIGHT = Schedule((1, 2, 3, 4, 5), 18 * 60, 8 * 60)
TOOL = Flag("no-transfer", FlagType.TOOL, "on", "on", subject="transfer_to_human")
PATH = Flag(
    "wait", FlagType.PATH, "version", "version", subject="turn_taking.end_of_speech_wait_ms",
    variants=(FlagVariant("long", 900),),
)  # fmt: skip
PLAIN = Flag("greeting", FlagType.STRING, "one", "one", variants=(FlagVariant("one", "1"), FlagVariant("two", "2")))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (NIGHT, "Monday to Friday 18:00 to 08:00 the next day"),
        (Schedule((6, 7)), "Saturday and Sunday"),
        (Schedule((5, 6, 7, 1), 60, 120), "Friday to Monday 01:00 to 02:00"),
        (Schedule((1, 3), 0, 720), "Monday, Wednesday 00:00 to 12:00"),
        (Schedule(), "every day"),
        (Schedule((), 720, 1440), "12:00 to 24:00"),
        (Schedule(first=date(2026, 12, 1)), "every day, from 1 Dec 2026"),
        (Schedule((7,), last=date(2026, 12, 24)), "Sunday, until 24 Dec 2026"),
        (Schedule(first=date(2026, 12, 1), last=date(2026, 12, 24)), "every day, 1 Dec 2026 to 24 Dec 2026"),
    ],
)
def test_a_schedule_is_said_in_days_and_hours(schedule: Schedule, words: str) -> None:
    assert schedule_words(schedule) == words


def test_a_flag_says_what_it_acts_on_and_what_it_gives() -> None:
    assert acts_on(TOOL) == "Tool transfer_to_human"
    assert gives(TOOL, "off") == "the tool is switched off"
    assert acts_on(PATH) == "End-of-speech wait"
    assert gives(PATH, "long") == "“long”: 900 ms"
    assert gives(PATH, "version") == "what the version says"
    assert gives(PLAIN, "two") == '“two”: "2"'
    assert acts_on(replace(PATH, subject="nowhere.at_all")) == "nowhere.at_all"


def test_a_rule_says_to_whom() -> None:
    everything = Rule(
        "", "off", frozenset({"a", "b"}), frozenset({"+33198765432"}), frozenset({"B"}), NIGHT, 12_500, "salt"
    )
    assert conditions(everything) == (
        "2 callers on a list", "calls to +33 1 98 76 54 32", "callers of the A/B variant “B”",
        "Monday to Friday 18:00 to 08:00 the next day", "12.5 % of callers",
    )  # fmt: skip
    assert rule_words(Rule("", "off")) == "everybody"
    many = frozenset(f"chat-{n}" for n in range(9))
    assert conditions(Rule("", "off", channels=many)) == ("calls to chat-0, chat-1, chat-2, chat-3, chat-4 or 4 more",)


def ruled(*rules: Rule) -> Flag:
    return replace(PLAIN, rules=rules)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (TOOL, replace(TOOL, is_enabled=False), ["Switched off"]),
        (TOOL, replace(TOOL, subject="hang_up"), ["Acts on Tool hang_up instead of Tool transfer_to_human"]),
        (TOOL, replace(TOOL, default="off", when_disabled="off"),
         ["Everybody else: “on” → “off”", "While switched off: “on” → “off”"]),
        (PATH, replace(PATH, variants=(FlagVariant("long", 1200), FlagVariant("short", 300))),
         ["Variant “long”: 900 ms → 1200 ms", "Variant “short” added: 300 ms"]),
        (PLAIN, replace(PLAIN, variants=PLAIN.variants[:1]), ["Variant “two” removed"]),
        (PLAIN, ruled(Rule("Night", "two", schedule=NIGHT)),
         ["Rule 1 “Night” added: Monday to Friday 18:00 to 08:00 the next day → “two”"]),
        (ruled(Rule("", "two", share=10_000, salt="s")), ruled(Rule("", "two", share=25_000, salt="s")),
         ["Rule 1: 10 % → 25 % of callers"]),
        (ruled(Rule("A", "two", frozenset("ab"))), ruled(Rule("A", "two", frozenset("bcd"))),
         ["Rule 1 “A”: 2 callers added", "Rule 1 “A”: 1 caller removed"]),
        (ruled(Rule("A", "two", channels=frozenset({"web"}))), ruled(Rule("A", "two", schedule=NIGHT)),
         ["Rule 1 “A”: number web removed", "Rule 1 “A”: always → Monday to Friday 18:00 to 08:00 the next day"]),
        (ruled(Rule("A", "two"), Rule("B", "one")), ruled(Rule("B", "one"), Rule("A", "two")),
         ["The rules stand in another order"]),
        (ruled(Rule("A", "two"), Rule("B", "one")), ruled(Rule("B", "one")), ["Rule 1 “A” removed"]),
        (ruled(Rule("A", "two", frozenset("a")), Rule("B", "two", frozenset("b"))),
         ruled(Rule("C", "two", frozenset("b")), Rule("A", "two", frozenset("a"))),
         ["Rule 1 “C”: named “C”", "The rules stand in another order"]),
        (ruled(Rule("", "two", frozenset("a"))), ruled(Rule("", "one", frozenset("a"))),
         ["Rule 1: gives “one” instead of “two”"]),
    ],
)  # fmt: skip
def test_what_changed_is_said_in_sentences(before: Flag, after: Flag, words: list[str]) -> None:
    assert list(changes_in_words(before, after)) == words


@given(flags())
def test_nothing_is_said_of_the_same_and_something_of_any_change(flag: Flag) -> None:
    assert changes_in_words(flag, flag) == ()
    assert changes_in_words(flag, replace(flag, is_enabled=not flag.is_enabled)) != ()
    if flag.rules:
        assert changes_in_words(flag, replace(flag, rules=flag.rules[1:])) != ()


MONDAY = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


def test_each_rule_says_why_it_applied_or_what_the_call_misses() -> None:
    flag = ruled(
        Rule("", "two", callers=frozenset({"other"})),
        Rule("", "two", channels=frozenset({"web"}), variants=frozenset({"Person takes over"})),
        Rule("", "two", schedule=NIGHT),
        Rule("", "two", share=0, salt="s"),
        Rule("", "two"),
        Rule("", "one", frozenset({"x"})),
    )
    here = Situation(MONDAY, ZoneInfo("Europe/Paris"), "unit", "me", "+33198765432", "Control")
    traced = trace(flag, here)
    assert [(each.outcome, each.words) for each in traced.rules] == [
        (Outcome.PASSED, "The caller is not on its list."),
        (Outcome.PASSED, "It is for other numbers; the caller has the A/B variant “Control”, and it is for others."),
        (Outcome.PASSED, "It was Monday 23 Nov 2026, 13:05 there, and it is open Monday to Friday 18:00 to 08:00 the "
         "next day."),
        (Outcome.PASSED, traced.rules[3].words),
        (Outcome.DECIDED, "Every condition is met."),
        (Outcome.NOT_REACHED, "Not reached."),
    ]  # fmt: skip
    assert traced.rules[3].words.endswith("is not below its share, 0 (0 %).")
    assert traced.evaluation.rule == 4
    off = trace(replace(flag, is_enabled=False), here)
    assert {each.words for each in off.rules} == {"Not looked at: the flag is switched off."}


@given(flags())
def test_the_rule_that_decided_is_the_one_that_the_runtime_names(flag: Flag) -> None:
    for unit in ("+33612345678", None):
        traced = trace(flag, Situation(MONDAY, UTC, unit, unit, "website", "A"))
        decided = [each.rule for each in traced.rules if each.outcome == Outcome.DECIDED]
        if traced.evaluation.reason == FlagReason.ERROR:
            assert len(decided) == 1
        else:
            assert decided == ([traced.evaluation.rule] if traced.evaluation.rule is not None else [])


LONG_AGO = FlagFacts(MONDAY, MONDAY - timedelta(days=91))


@pytest.mark.parametrize(
    ("flag", "facts", "words"),
    [
        (PLAIN, LONG_AGO, 'The same for everybody for 91 days (“one”: "1"): write it into the agent\'s code'),
        (replace(PATH, default="long"), LONG_AGO, "(“long”: 900 ms): publish a version that has it so"),
        (PATH, LONG_AGO, "Has changed nothing for 91 days"),
        (TOOL, LONG_AGO, "Has changed nothing for 91 days"),
        (replace(TOOL, is_enabled=False), LONG_AGO, "Switched off for 91 days"),
        (TOOL, FlagFacts(MONDAY, is_there=False), "Tool transfer_to_human is in no live or newest version any more"),
        (TOOL, FlagFacts(MONDAY, is_agent_archived=True), "Its agent is archived"),
    ],
)
def test_a_flag_that_has_done_its_work_says_so(flag: Flag, facts: FlagFacts, words: str) -> None:
    (said,) = stale_reasons(flag, facts)
    assert words in said
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("flag", "facts"),
    [
        (PLAIN, FlagFacts(MONDAY, MONDAY - timedelta(days=29))),
        (replace(TOOL, is_enabled=False), FlagFacts(MONDAY, MONDAY - timedelta(days=89))),
        (ruled(Rule("", "two", share=50_000, salt="s")), FlagFacts(MONDAY)),
    ],
)
def test_a_flag_in_use_says_nothing(flag: Flag, facts: FlagFacts) -> None:
    assert stale_reasons(flag, facts) == ()


@given(flags())
def test_a_flag_that_is_the_same_for_everybody_gives_it_in_every_situation(flag: Flag) -> None:
    same = same_for_everybody(replace(flag, is_enabled=True))
    if same is None:
        return
    for unit in ("+33612345678", "user-7"):
        for hour in range(0, 48, 5):
            here = Situation(MONDAY + timedelta(hours=hour), UTC, unit, unit, "website", "A")
            assert trace(replace(flag, is_enabled=True), here).evaluation.variant == same


@pytest.mark.parametrize(
    ("kind", "subject", "typed", "value"),
    [
        (FlagType.BOOLEAN, "", "true", True),
        (FlagType.STRING, "", "a\r\nb", "a\nb"),
        (FlagType.INTEGER, "", " 12 ", 12),
        (FlagType.NUMBER, "", "0.5", 0.5),
        (FlagType.JSON, "", '{"a": [1]}', {"a": [1]}),
        (FlagType.PATH, "background_sound.enabled", "true", True),
        (FlagType.PATH, "turn_taking.end_of_speech_wait_ms", "900", 900),
        (FlagType.PATH, "model.max_tokens", "", None),
    ],
)
def test_a_typed_value_is_read_and_shown_again(kind: FlagType, subject: str, typed: str, value: Any) -> None:
    assert read_value(kind, subject, typed) == value
    assert read_value(kind, subject, text_of_value(kind, subject, value)) == value


@pytest.mark.parametrize(
    ("kind", "subject", "typed", "words"),
    [
        (FlagType.BOOLEAN, "", "yes", "true or false"),
        (FlagType.INTEGER, "", "twelve", "a number"),
        (FlagType.NUMBER, "", "0,5", "with a point"),
        (FlagType.JSON, "", "{a", "Line 1, column 2"),
        (FlagType.PATH, "turn_taking.end_of_speech_wait_ms", "long", "must be a number"),
    ],
)
def test_what_is_no_value_is_refused_in_a_sentence(kind: FlagType, subject: str, typed: str, words: str) -> None:
    with pytest.raises(NotTyped, match=words):
        read_value(kind, subject, typed)


def test_hours_are_typed_as_a_clock() -> None:
    assert (read_clock("18:00", 0), read_clock("24:00", 0), read_clock(" ", 1440)) == (1080, 1440, 1440)
    for typed in ("25:00", "18", "18:60", "six"):
        with pytest.raises(NotTyped, match="no time of the day"):
            read_clock(typed, 0)


def test_the_places_to_choose_from_are_those_that_a_flag_may_change() -> None:
    tool = {"name": "crm", "library": {"entry": "crm", "revision": 1}}
    choices = {
        each.path: each for each in field_choices([write_document(read_document({"name": "A", "tools": [tool]}))])
    }
    assert choices["background_sound.enabled"].label == "Background sound"
    assert choices["background_sound.enabled"].control.kind == "switch"
    assert "tools[crm].timeout_s" in choices
    assert not {"tools[crm].name", "tools[crm].library", "tools[crm]"} & set(choices)
