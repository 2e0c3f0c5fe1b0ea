"""Flags compiled for an agent give each call exactly what they give one by one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.equality import same
from channels.core.flag_overlay import changes_of
from channels.core.flag_rules import Situation, evaluate_all
from channels.core.flag_sets import FlagInForce, FlagSet, Wish
from channels.core.flags import Flag, FlagType, FlagVariant, Rule
from tests.core.flag_values import CALLERS, CHANNELS, VARIANTS, flags, rules

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def overlay_flags(draw: st.DrawFn) -> Flag:
    """Flags that act on a tool or on a path."""
    key = draw(st.from_regex(r"[a-z]{1,8}", fullmatch=True))
    if draw(st.booleans()):
        kind, gives, subject, variants = FlagType.TOOL, ("on", "off"), "transfer", ()
    else:
        kind, gives, subject = FlagType.PATH, ("version", "new"), draw(st.sampled_from(["model", "model.name"]))
        variants = (FlagVariant("new", {"name": "x"} if subject == "model" else "x"),)
    listed = draw(st.lists(rules(gives), max_size=3))
    default, disabled = draw(st.sampled_from(gives)), draw(st.sampled_from(gives))
    return Flag(key, kind, default, disabled, "", subject, variants, tuple(listed), draw(st.booleans()))


def give(compiled: FlagSet, call: Situation) -> tuple[bytes, Wish]:
    """The set's answer to a call as rules see it."""
    facts = {"caller": call.caller, "channel": call.channel, "variant": call.variant, "zone": str(call.zone)}
    return compiled.give(unit=call.unit or "", at=call.at.timestamp(), **facts)


def in_force(found: list[Flag]) -> tuple[FlagInForce, ...]:
    unique = {flag.key: flag for flag in found}
    return tuple(FlagInForce(unique[key], number) for number, key in enumerate(sorted(unique), 1))


def calls() -> st.SearchStrategy[Situation]:
    return st.builds(
        lambda caller, channel, variant, hours: Situation(
            START + timedelta(hours=hours), PARIS, caller or "call", caller, channel, variant
        ),
        st.none() | st.sampled_from(CALLERS),
        st.sampled_from(CHANNELS),
        st.none() | st.sampled_from(VARIANTS),
        st.integers(0, 31 * 24),
    )


@given(st.lists(flags() | overlay_flags(), max_size=8), st.lists(calls(), min_size=1, max_size=8))
def test_a_set_gives_what_its_flags_give_one_by_one(found: list[Flag], several: list[Situation]) -> None:
    numbered = in_force(found)
    compiled = FlagSet(numbered)
    alone = [each.flag for each in numbered]
    for call in several:
        members, wish = give(compiled, call)
        evaluations = evaluate_all(alone, call)
        values = {flag.key: evaluations[flag.key].value for flag in alone if not flag.type.is_overlay}
        assert same(json.loads(b"{%s}" % members), values)
        assert wish.changes == changes_of(alone, evaluations)
        assert wish.choices == {
            each.flag.key: (each.revision, evaluations[each.flag.key].variant)
            for each in numbered
            if each.flag.key in {change.flag for change in wish.changes}
        }


@given(st.lists(flags() | overlay_flags(), max_size=8), calls())
def test_what_a_set_says_it_looks_at_is_all_that_it_looks_at(found: list[Flag], call: Situation) -> None:
    compiled = FlagSet(in_force(found))
    blind = Situation(
        call.at if compiled.has_schedules else START,
        call.zone if compiled.has_schedules else UTC,
        call.unit if compiled.counts_unit else "anything",
        call.caller if compiled.lists_callers else "somebody",
        call.channel,
        call.variant,
    )
    assert give(compiled, blind) == give(compiled, call)
    if compiled.is_constant:
        assert give(compiled, Situation(START, UTC)) == give(compiled, call)


def value(key: str, what: Any, **changes: Any) -> Flag:
    plain = Flag(key, FlagType.JSON, "one", "one", variants=(FlagVariant("one", what),))
    return replace(plain, **changes)


def test_the_name_of_the_configuration_stands_nowhere_in_the_values() -> None:
    flag = value("configuration", {"configuration": {"a": '"configuration":'}})
    members, _ = give(FlagSet((FlagInForce(flag, 1),)), Situation(START, UTC, "u"))
    assert b'"configuration":' not in members
    assert json.loads(b"{%s}" % members) == {"configuration": {"configuration": {"a": '"configuration":'}}}


def test_a_flag_without_the_variant_that_it_gives_is_named_and_left_out() -> None:
    broken = value("broken", 1, rules=(Rule("", "gone", frozenset(CALLERS[:1])),))
    compiled = FlagSet((FlagInForce(broken, 1), FlagInForce(value("fine", 2), 1)))
    assert "no variant “gone”" in compiled.troubles["broken"]
    assert give(compiled, Situation(START, UTC, "u", CALLERS[0])) == (b'"fine":2', Wish())


def test_what_everybody_gets_is_worked_out_once() -> None:
    everybody = Rule("", "one")
    compiled = FlagSet((FlagInForce(value("a", 1, rules=(everybody, Rule("", "one", share=5))), 1),))
    assert compiled.is_constant
    looks_at = (compiled.counts_unit, compiled.lists_callers, compiled.has_schedules, compiled.may_change)
    assert not any(looks_at)
