"""What a flag gives: kill switch, rules in order, shares, schedules in the number's zone, default; and its JSON."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.canonical_json import is_canonical
from agentversions.core.equality import same
from agentversions.core.paths import MISSING
from channels.core.bucketing import BUCKETS, bucket_of
from channels.core.flag_rules import ErrorCode, FlagReason, Situation, evaluate, evaluate_all, meets
from channels.core.flags import Flag, FlagType, FlagVariant, Rule, Schedule, read_flag, write_flag
from tests.core.flag_values import CALLERS, CHANNELS, VARIANTS, flags

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 18, 11, tzinfo=UTC)
"""Wednesday, 12:00 in Paris."""
ME = Situation(NOON, PARIS, "+33612345678", "+33612345678", "+33198765432", "A")
WITHHELD = Situation(NOON, PARIS, "call-1", None, "+33198765432", "A")
NOBODY = Situation(NOON, PARIS)
VALUES = (FlagVariant("one", "1"), FlagVariant("two", "2"), FlagVariant("three", "3"))
EVERYBODY = Rule("", "one")


def flag(*rules: Rule, **changes: object) -> Flag:
    plain = Flag("greeting", FlagType.STRING, "three", "two", variants=VALUES, rules=rules)
    return replace(plain, **changes)  # type: ignore[arg-type]


def situations() -> st.SearchStrategy[Situation]:
    def made(caller: str | None, channel: str, variant: str | None, minutes: int) -> Situation:
        return Situation(NOON + timedelta(minutes=minutes), PARIS, caller or "call", caller, channel, variant)

    return st.builds(
        made,
        st.none() | st.sampled_from(CALLERS),
        st.sampled_from(("", *CHANNELS)),
        st.none() | st.sampled_from(VARIANTS),
        st.integers(-400_000, 50_000),
    )


def mine(**conditions: object) -> Rule:
    return replace(EVERYBODY, **conditions)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "situation", "reason", "variant", "rule"),
    [
        (flag(), ME, "STATIC", "three", None),
        (flag(EVERYBODY, is_enabled=False), ME, "DISABLED", "two", None),
        (flag(EVERYBODY), ME, "TARGETING_MATCH", "one", 0),
        (flag(mine(callers=frozenset({"+33612345678"}))), ME, "TARGETING_MATCH", "one", 0),
        (flag(mine(callers=frozenset({"+33600000000"}))), ME, "DEFAULT", "three", None),
        (flag(mine(callers=frozenset({"call-1"}))), WITHHELD, "DEFAULT", "three", None),
        (flag(mine(channels=frozenset({"+33198765432"}))), ME, "TARGETING_MATCH", "one", 0),
        (flag(mine(channels=frozenset({"website"}))), ME, "DEFAULT", "three", None),
        (flag(mine(channels=frozenset({"website"}))), NOBODY, "DEFAULT", "three", None),
        (flag(mine(variants=frozenset({"A"}))), ME, "TARGETING_MATCH", "one", 0),
        (flag(mine(variants=frozenset({"B"}))), ME, "DEFAULT", "three", None),
        (flag(mine(variants=frozenset({"A"}))), NOBODY, "DEFAULT", "three", None),
        (flag(mine(variants=frozenset({"A"}), channels=frozenset({"website"}))), ME, "DEFAULT", "three", None),
        (flag(mine(share=0, salt="s")), ME, "DEFAULT", "three", None),
        (flag(mine(share=BUCKETS - 1, salt="s")), WITHHELD, "SPLIT", "one", 0),
        (flag(mine(share=0, salt="s"), Rule("", "two")), ME, "TARGETING_MATCH", "two", 1),
        (flag(Rule("", "two"), EVERYBODY), ME, "TARGETING_MATCH", "two", 0),
        (flag(mine(share=BUCKETS), EVERYBODY), NOBODY, "TARGETING_MATCH", "one", 0),
    ],
)  # fmt: skip
def test_what_a_flag_gives_and_why(
    made: Flag, situation: Situation, reason: str, variant: str, rule: int | None
) -> None:
    found = evaluate(made, situation)
    assert (found.reason, found.variant, found.rule, found.error) == (reason, variant, rule, None)
    assert found.value == made.value_of(variant)


def test_a_share_without_anybody_to_count_is_an_error_that_says_what_to_send() -> None:
    found = evaluate(flag(mine(share=50_000, salt="s")), NOBODY)
    assert (found.reason, found.error, found.value) == (FlagReason.ERROR, ErrorCode.TARGETING_KEY_MISSING, MISSING)
    assert "targeting key" in found.words


def test_a_rule_before_the_share_decides_without_anybody_to_count() -> None:
    assert evaluate(flag(EVERYBODY, mine(share=5, salt="s")), NOBODY).variant == "one"


def test_a_variant_that_is_gone_is_an_error_and_no_crash() -> None:
    found = evaluate(flag(default="gone"), ME)
    assert (found.reason, found.error) == (FlagReason.ERROR, ErrorCode.GENERAL)


def test_each_flag_answers_under_its_key() -> None:
    found = evaluate_all([flag(), flag(EVERYBODY, key="other")], ME)
    assert {key: each.variant for key, each in found.items()} == {"greeting": "three", "other": "one"}


@given(flags(), situations())
def test_the_first_rule_that_applies_decides(made: Flag, situation: Situation) -> None:
    """Against a plain reading of the rules, one after another."""
    taken = [
        index
        for index, rule in enumerate(made.rules)
        if meets(rule, situation) and (rule.share == BUCKETS or bucket_of(rule.salt, situation.unit or "") < rule.share)
    ]
    found = evaluate(made, situation)
    if not made.is_enabled:
        assert (found.reason, found.variant) == ("DISABLED", made.when_disabled)
    elif taken:
        rule = made.rules[taken[0]]
        assert (found.rule, found.variant) == (taken[0], rule.gives)
        assert found.reason == ("SPLIT" if rule.share < BUCKETS else "TARGETING_MATCH")
    else:
        assert (found.rule, found.variant) == (None, made.default)
        assert found.reason == ("DEFAULT" if made.rules else "STATIC")


@given(st.text(max_size=20), st.integers(0, BUCKETS), st.integers(0, BUCKETS))
def test_a_share_that_grows_never_lets_a_caller_go(unit: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    situation = replace(ME, unit=unit)
    if evaluate(flag(mine(share=small, salt="s")), situation).variant == "one":
        assert evaluate(flag(mine(share=large, salt="s")), situation).variant == "one"


def test_a_share_has_exactly_the_buckets_below_it() -> None:
    bucket = bucket_of("s", "+33612345678")
    assert evaluate(flag(mine(share=bucket, salt="s")), ME).variant == "three"
    found = evaluate(flag(mine(share=bucket + 1, salt="s")), ME)
    assert (found.variant, found.bucket) == ("one", bucket)


def test_two_rules_choose_independently() -> None:
    """Within four standard errors of the product of both shares."""
    one, other = flag(mine(share=20_000, salt="first")), flag(mine(share=30_000, salt="second"))
    callers = [replace(ME, unit=f"+336{number:08d}") for number in range(20_000)]
    both = sum(evaluate(one, each).variant == evaluate(other, each).variant == "one" for each in callers)
    assert abs(both / len(callers) - 0.06) < 4 * math.sqrt(0.06 * 0.94 / len(callers))


@given(flags())
def test_a_flag_comes_back_whole_from_its_canonical_json(made: Flag) -> None:
    body = write_flag(made)
    assert is_canonical(body)
    again = read_flag(body)
    assert write_flag(again) == body
    assert replace(again, variants=()) == replace(made, variants=())


@given(flags(), situations())
def test_a_flag_written_and_read_decides_alike(made: Flag, situation: Situation) -> None:
    again = read_flag(write_flag(made))
    before, after = evaluate(made, situation), evaluate(again, situation)
    assert same(after.value, before.value)
    assert replace(after, value=None) == replace(before, value=None)


@given(flags())
def test_the_order_of_lists_and_of_keys_makes_no_other_flag(made: Flag) -> None:
    turned = tuple(
        replace(rule, callers=frozenset(sorted(rule.callers, reverse=True)), channels=frozenset(rule.channels))
        for rule in made.rules
    )
    assert write_flag(replace(made, rules=turned)) == write_flag(made)


def test_numbers_are_floats_and_whole_numbers_are_not() -> None:
    """A client that asks for a float takes no `1`, and one that asks for an integer no `1.0`."""
    for kind, expected in ((FlagType.NUMBER, "1.0"), (FlagType.INTEGER, "1")):
        made = Flag("limit", kind, "one", "one", variants=(FlagVariant("one", 1),))
        assert repr(evaluate(read_flag(write_flag(made)), ME).value) == expected


WEEKDAY_NIGHTS = Schedule((1, 2, 3, 4, 5), 18 * 60, 8 * 60)
CHRISTMAS = Schedule(first=date(2026, 12, 24), last=date(2026, 12, 26))
NIGHT_OF_THE_LAST = Schedule((), 22 * 60, 6 * 60, last=date(2026, 11, 18))


@pytest.mark.parametrize(
    ("schedule", "local", "is_open"),
    [
        (Schedule(), "2026-11-18T00:00", True),
        (Schedule((), 540, 1020), "2026-11-18T09:00", True),
        (Schedule((), 540, 1020), "2026-11-18T08:59", False),
        (Schedule((), 540, 1020), "2026-11-18T16:59", True),
        (Schedule((), 540, 1020), "2026-11-18T17:00", False),
        (Schedule((6, 7)), "2026-11-21T12:00", True),
        (Schedule((6, 7)), "2026-11-20T23:59", False),
        (WEEKDAY_NIGHTS, "2026-11-20T18:00", True),  # Friday
        (WEEKDAY_NIGHTS, "2026-11-21T07:59", True),  # still Friday's
        (WEEKDAY_NIGHTS, "2026-11-21T08:00", False),
        (WEEKDAY_NIGHTS, "2026-11-21T18:00", False),
        (WEEKDAY_NIGHTS, "2026-11-23T07:59", False),  # Sunday's night is none of them
        (WEEKDAY_NIGHTS, "2026-11-23T18:00", True),
        (CHRISTMAS, "2026-12-23T23:59", False),
        (CHRISTMAS, "2026-12-24T00:00", True),
        (CHRISTMAS, "2026-12-26T23:59", True),
        (CHRISTMAS, "2026-12-27T00:00", False),
        (NIGHT_OF_THE_LAST, "2026-11-19T05:59", True),
        (NIGHT_OF_THE_LAST, "2026-11-19T22:00", False),
    ],
)
def test_when_a_schedule_is_open(schedule: Schedule, local: str, is_open: bool) -> None:
    assert schedule.is_open(datetime.fromisoformat(local)) == is_open


@pytest.mark.parametrize(
    ("zone", "utc", "is_open"),
    [
        ("Europe/Paris", "2026-07-01T07:00+00:00", True),  # 09:00 in summer
        ("Europe/Paris", "2026-12-01T07:00+00:00", False),  # 08:00 in winter
        ("America/New_York", "2026-07-01T12:59+00:00", False),
        ("America/New_York", "2026-07-01T13:00+00:00", True),
        ("Asia/Kolkata", "2026-07-01T03:30+00:00", True),
    ],
)
def test_hours_are_those_of_the_number(zone: str, utc: str, is_open: bool) -> None:
    office = flag(mine(schedule=Schedule((), 9 * 60, 17 * 60)))
    situation = replace(ME, at=datetime.fromisoformat(utc), zone=ZoneInfo(zone))
    assert (evaluate(office, situation).variant == "one") == is_open
