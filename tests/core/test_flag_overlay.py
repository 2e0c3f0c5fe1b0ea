"""Overlays: the flag's place changes, every other byte stays, the version never does; what does not fit is refused."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.canonical_json import is_canonical
from agentversions.core.configuration import AgentConfiguration, LanguageModel, Tool
from agentversions.core.digest import digest_of
from agentversions.core.reading import read_body, write_body, write_document
from channels.core.flag_fit import conflicts, overlay_errors
from channels.core.flag_overlay import Change, changes_of, overlaid, overlay, read_changes, write_changes
from channels.core.flag_rules import Situation, evaluate_all
from channels.core.flags import Flag, FlagType, FlagVariant, Rule
from tests.core.documents import configurations

HERE = Situation(datetime(2026, 11, 18, tzinfo=UTC), UTC, "+33612345678", "+33612345678")
CLINIC = AgentConfiguration(
    name="Clinic",
    system_prompt="You answer the phone.",
    tools=(
        Tool(name="transfer", endpoint="https://example.com/t", description="To a person."),
        Tool(name="crm]x", endpoint="https://example.com/c", description="Looks up."),
    ),
)
BODY = write_body(CLINIC)


def tool(name: str, key: str = "tool-off", gives: str = "off") -> Flag:
    return Flag(key, FlagType.TOOL, gives, "on", subject=name)


def path(place: str, value: Any, key: str = "path-set", **changes: Any) -> Flag:
    plain = Flag(key, FlagType.PATH, "new", "version", subject=place, variants=(FlagVariant("new", value),))
    return replace(plain, **changes)


def wanted(*flags: Flag) -> tuple[Change, ...]:
    return changes_of(flags, evaluate_all(flags, HERE))


def test_a_tool_is_taken_away_and_nothing_else_changes() -> None:
    found = overlay(BODY, wanted(tool("transfer")))
    expected = json.loads(BODY)
    del expected["tools"][0]
    assert json.loads(found.body) == expected
    assert found.digest == digest_of(found.body) != digest_of(BODY)
    assert (found.flags, found.skipped) == (("tool-off",), ())


def test_a_path_gets_its_value_and_nothing_else_changes() -> None:
    found = overlay(BODY, wanted(path("background_sound.enabled", True)))
    expected = json.loads(BODY)
    expected["background_sound"]["enabled"] = True
    assert json.loads(found.body) == expected


def test_a_field_of_a_tool_is_found_by_the_tools_name() -> None:
    found = overlay(BODY, wanted(path("tools[crm\\]x].timeout_s", 3)))
    assert json.loads(found.body)["tools"][1]["timeout_s"] == 3


@pytest.mark.parametrize(
    "flag",
    [
        tool("transfer", gives="on"),
        replace(tool("transfer"), is_enabled=False),
        path("model.name", "other", default="version"),
        path("model.name", CLINIC.model.name),
        path("model.name", "other", is_enabled=False),
        path("model.name", "other", default="gone"),
        Flag("plain", FlagType.BOOLEAN, "one", "one", variants=(FlagVariant("one", True),)),
        replace(tool("transfer", gives="on"), rules=(Rule("", "off", frozenset({"+33600000000"})),)),
    ],
)  # fmt: skip
def test_where_a_flag_changes_nothing_body_and_digest_are_the_versions(flag: Flag) -> None:
    found = overlay(BODY, wanted(flag))
    assert (found.body, found.digest, found.flags, found.skipped) == (BODY, digest_of(BODY), (), ())


def test_a_stored_body_of_an_older_schema_keeps_its_bytes_where_nothing_changes() -> None:
    old = '{"name":"Clinic"}'
    assert overlay(old, wanted(tool("transfer"))).body == old
    assert overlay(old, ()).digest == digest_of(old)


def test_what_this_version_cannot_take_is_skipped_with_words_and_the_rest_is_done() -> None:
    flags = (tool("missing"), path("model.temperature", 7, "too-hot"), path("model.name", "other", "works"))
    found = overlay(BODY, wanted(*flags))
    assert found.flags == ("works",)
    assert {each.flag: each.words for each in found.skipped} == {
        "tool-off": "There is no tool “missing”.",
        "too-hot": "Temperature must be at most 2.0.",
    }


def test_parts_come_before_their_fields_and_of_two_alike_the_later_key_wins() -> None:
    whole = path("model", {"name": "whole"}, "z-whole")
    first, second = path("model.name", "first", "a"), path("model.name", "second", "b")
    document = json.loads(overlay(BODY, wanted(second, whole, first)).body)
    assert document["model"] == {**LanguageModel().model_dump(), "name": "second"}
    gone = overlay(BODY, wanted(tool("transfer", "a-off"), path("tools[transfer].timeout_s", 3, "z")))
    assert gone.flags == ("z", "a-off")
    assert "transfer" not in [each["name"] for each in json.loads(gone.body)["tools"]]


SETTABLE: dict[str, st.SearchStrategy[Any]] = {
    "model.temperature": st.floats(0, 2),
    "model.name": st.sampled_from(["gpt-4o", "other"]),
    "background_sound.enabled": st.booleans(),
    "welcome_message": st.text("aé\n", max_size=5),
    "turn_taking.interruption_min_words": st.integers(0, 100),
    "extensions": st.just({"a": [1]}),
}


@given(configurations(), st.data())
@settings(deadline=None)
def test_everything_else_stays_byte_for_byte(configuration: AgentConfiguration, data: st.DataObject) -> None:
    """Putting the version's own values back into the effective configuration gives the version's very bytes."""
    body = write_body(configuration)
    before = write_document(configuration)
    chosen = data.draw(st.lists(st.sampled_from(list(SETTABLE)), unique=True, max_size=4))
    flags = [path(place, data.draw(SETTABLE[place]), f"set-{n}") for n, place in enumerate(chosen)]
    gone = data.draw(st.sampled_from([each.name for each in configuration.tools])) if configuration.tools else None
    found = overlay(body, wanted(*flags, *([tool(gone)] if gone else [])))
    assert found.skipped == ()
    kept = write_changes(wanted(*flags, *([tool(gone)] if gone else [])))
    assert is_canonical(kept)
    assert overlay(body, read_changes(kept)) == found
    assert found.digest == digest_of(found.body)
    assert write_body(read_body(found.body)) == found.body
    after = json.loads(found.body)
    for place in chosen:
        *parents, name = place.split(".")
        holder, original = after, before
        for parent in parents:
            holder, original = holder[parent], original[parent]
        holder[name] = original[name]
    if gone:
        assert gone not in [each["name"] for each in after["tools"]]
        after["tools"] = before["tools"]
    assert write_body(AgentConfiguration(**after)) == body == write_body(configuration)
    assert overlay(body, wanted(*reversed(flags), *([tool(gone)] if gone else []))) == found


def test_the_version_itself_is_never_touched() -> None:
    effective, flags, _ = overlaid(CLINIC, wanted(tool("transfer"), path("model.name", "other")))
    assert set(flags) == {"tool-off", "path-set"}
    assert effective != CLINIC
    assert write_body(CLINIC) == BODY


VERSIONS = {"V1": AgentConfiguration(name="Clinic", system_prompt="Hello"), "V2": CLINIC}


@pytest.mark.parametrize(
    ("flag", "place", "words"),
    [
        (tool("trasnfer"), "subject", "No version has a tool “trasnfer”. Choose one of “transfer”, “crm]x”."),
        (path("model.nam", "x"), "subject", "“model.nam” does not name a field of a configuration."),
        (path("tools", []), None, ""),
        (path("tools[transfer]", {}), "subject", "whole item"),
        (path("tools[transfer].name", "x"), "subject", "a flag cannot change it"),
        (path("tools[transfer].library", None), "subject", "a flag cannot change it"),
        (path("tools[transfer].library.entry", "x"), "subject", "a flag cannot change it"),
        (path("knowledge_bases[kb].fingerprint", "x"), "subject", "a flag cannot change it"),
        (path("tools[gone].timeout_s", 3), "subject", "No version has “tools[gone].timeout_s”"),
        (path("model.temperature", 3), "variants.0.value", "V1 with “new”: Temperature must be at most 2"),
        (path("model.temperature", "hot"), "variants.0.value", "V1 with “new”: Temperature"),
        (path("kind", "other"), "variants.0.value", "Kind must be one of"),
        (path("kind", "workflow"), "variants.0.value", "The workflow has no node"),
        (path("model.name", ""), "variants.0.value", "No LLM model is chosen"),
        (path("tools[transfer].timeout_s", 0), "variants.0.value", "V2 with “new”: Tool transfer: Timeout must be"),
        (path("tools[transfer].headers", {"Authorization": "Bearer abcdefghijklmnop1234567890"}), "variants.0.value",
         "looks like a key"),
        (path("tools[transfer].timeout_s", 3), None, ""),
        (tool("crm]x"), None, ""),
        (Flag("plain", FlagType.STRING, "x", "x", variants=(FlagVariant("x", "y"),)), None, ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_versions_is_refused_in_the_schemas_words(
    flag: Flag, place: str | None, words: str
) -> None:
    errors = overlay_errors(flag, VERSIONS)
    assert [error.path for error in errors] == ([place] if place else [])
    assert all(words in error.message for error in errors)


def test_a_tool_where_no_version_has_any_is_refused() -> None:
    errors = overlay_errors(tool("transfer"), {"V1": VERSIONS["V1"]})
    assert errors[0].message == "No version has a tool “transfer”. No version has any tool."


def test_what_blocked_a_version_before_is_not_held_against_a_flag() -> None:
    unfinished = {"V1": AgentConfiguration(name="Clinic")}
    assert overlay_errors(path("model.temperature", 1), unfinished) == ()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (path("model.name", "x", "a"), path("model.name", "y", "b"), "“a” and “b” both act on model.name: .*“b” wins"),
        (path("model", {}, "b"), path("model.name", "y", "a"), "“a” has the last word on its part"),
        (tool("transfer", "a"), path("tools[transfer].timeout_s", 3, "b"), "a tool that is switched off is gone"),
        (tool("transfer", "a"), tool("transfer", "b"), "is gone"),
        (path("model.name", "x", "a", agent="clinic"), path("model.name", "y", "b"), "“b” wins"),
        (path("model.name", "x", "a"), path("model.temperature", 1, "b"), None),
        (tool("transfer", "a"), tool("crm", "b"), None),
        (path("model.name", "x", "a", agent="clinic"), path("model.name", "y", "b", agent="bank"), None),
    ],
)
def test_flags_on_one_place_are_said_with_which_one_wins(first: Flag, second: Flag, words: str | None) -> None:
    for pair in ((first, second), (second, first)):
        found = conflicts(pair)
        assert len(found) == (1 if words else 0)
        assert all(re.search(words or "", each) for each in found)


def test_the_flags_that_changed_a_configuration_alone_make_the_same_again() -> None:
    """What was skipped is left out of what a call keeps, and its being there must not have mattered."""
    whole, inside = path("model", {"name": "whole"}, "a-whole"), path("model.temperature", 0.5, "b-inside")
    refused = path("model.max_tokens", "no number", "c-refused")
    several = wanted(whole, inside, refused)
    found = overlay(BODY, several)
    again = overlay(BODY, tuple(change for change in several if change.flag in found.flags))
    assert (found.flags, again.digest) == (("a-whole", "b-inside"), found.digest)


@pytest.mark.parametrize("between", [path("nowhere", 1, "c"), path("model", {"name": "whole", "temperature": 9}, "e")])
def test_a_flag_that_sets_what_stands_there_already_changed_nothing(between: Flag) -> None:
    whole, again = path("model", {"name": "whole"}, "b"), path("model", {"name": "whole"}, "d")
    assert overlay(BODY, wanted(whole, between, again)).flags == ("b",)


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    **SETTABLE,
    "model": st.sampled_from([{"name": "whole"}, {"name": "whole", "temperature": 9}, {}]),
    "model.max_tokens": st.sampled_from([None, 5, "no number"]),
    "tools": st.sampled_from([[], [{"name": "added", "endpoint": "https://example.com/a", "description": "A."}]]),
    "tools[added].timeout_s": st.sampled_from([3, -1]),
    "tools[transfer].timeout_s": st.sampled_from([3, -1]),
    "nowhere": st.just(1),
}


@st.composite
def any_flag(draw: st.DrawFn) -> Flag:
    """Flags that fit, and flags that do not, on places inside one another."""
    key = draw(st.from_regex("[a-z]{1,3}", fullmatch=True))
    if draw(st.integers(0, 3)) == 0:
        return tool(draw(st.sampled_from(["transfer", "added", "missing"])), key)
    place = draw(st.sampled_from(sorted(CHANGES)))
    return path(place, draw(CHANGES[place]), key)


@given(st.lists(any_flag(), max_size=6, unique_by=lambda flag: flag.key))
@settings(max_examples=400, deadline=None)
def test_any_flags_that_changed_a_configuration_make_the_same_again(several: list[Flag]) -> None:
    changes = wanted(*several)
    found = overlay(BODY, changes)
    again = overlay(BODY, tuple(change for change in changes if change.flag in found.flags))
    assert (again.digest, again.flags) == (found.digest, found.flags)
