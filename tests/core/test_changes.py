"""The structured difference: nothing missed, nothing invented, said in words, and fast."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.changes import Comparison, compare
from agentversions.core.configuration import TABS, AgentConfiguration
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.paths import MISSING, join, split, value_at
from agentversions.core.reading import read_document, write_body, write_document
from tests.core.documents import configurations


def changed(**fields: Any) -> Comparison:
    """The difference between a plain configuration and one with these fields."""
    return compare(make(), make(**fields))


def make(**fields: Any) -> AgentConfiguration:
    tool = {"name": "transfer", "endpoint": "https://a.example", "timeout_s": 20}
    return read_document({"name": "Clinic", "system_prompt": "Be kind.\n", "tools": [tool], **fields})


def words_of(comparison: Comparison) -> list[str]:
    return [f"{change.label} | {change.summary}" for change in comparison.changes]


@given(configurations())
@settings(max_examples=20)
def test_a_configuration_never_differs_from_itself(configuration: AgentConfiguration) -> None:
    assert compare(configuration, read_document(write_document(configuration))).is_identical


@given(configurations(), configurations())
@settings(max_examples=40)
def test_two_are_identical_exactly_when_their_canonical_texts_are(
    base: AgentConfiguration, head: AgentConfiguration
) -> None:
    assert compare(base, head).is_identical == (write_body(base) == write_body(head))


@given(configurations(), configurations())
@settings(max_examples=40)
def test_the_changes_applied_to_the_base_give_the_head(base: AgentConfiguration, head: AgentConfiguration) -> None:
    comparison = compare(base, head)
    edits = [edit for change in comparison.changes for edit in edits_of(change)]
    lists = [
        path for path in ("variables", "knowledge_bases", "tools", "guardrails") if value_at(comparison.after, path)
    ]
    lists += ["call_analysis.fields", "workflow.nodes", "workflow.edges"]
    keys = {"knowledge_bases": "id", "workflow.nodes": "id", "workflow.edges": "id"}
    orders = [
        Edit("order", path, [item[keys.get(path, "name")] for item in value_at(comparison.after, path)])
        for path in lists
    ]
    made = apply_edits(comparison.before, (*edits, *orders))
    assert write_body(read_document(made)) == write_body(head)


def edits_of(change: Any) -> list[Edit]:
    """The edits that repeat one change field by field; a place in a list is put right by the orders afterwards."""
    if change.kind == "removed":
        return [Edit("remove", change.path)]
    if change.children:
        return [Edit("set", child.path, child.after) for child in change.children]
    return [] if change.kind == "reordered" else [Edit("set", change.path, change.after)]


@given(configurations(), configurations())
@settings(max_examples=30)
def test_every_change_says_itself_and_belongs_to_a_tab(base: AgentConfiguration, head: AgentConfiguration) -> None:
    comparison = compare(base, head)
    for change in comparison.changes:
        assert change.label
        assert change.summary.strip() == change.summary != ""
        for detail in change.details:
            assert detail.path.startswith(change.path)
            assert detail.field_label
            assert detail.summary.strip()
    assert sum(len(changes) for _, changes in comparison.groups) == len(comparison.changes)
    assert len(comparison.groups) + len(comparison.unchanged_tabs) == len(TABS)
    assert len(comparison.changes) <= comparison.settings_total
    assert len(set(comparison.changed_paths)) == len(comparison.changed_paths)


@given(configurations(), configurations())
@settings(max_examples=30)
def test_everything_holds_the_changes_and_the_rest_as_the_same(
    base: AgentConfiguration, head: AgentConfiguration
) -> None:
    comparison = compare(base, head)
    assert [setting for setting in comparison.settings if setting.kind != "same"] == list(comparison.changes)


@given(configurations(), configurations())
@settings(max_examples=20)
def test_the_way_back_is_the_mirror(base: AgentConfiguration, head: AgentConfiguration) -> None:
    there, back = compare(base, head), compare(head, base)
    mirror = {"added": "removed", "removed": "added"}
    assert {(c.path, mirror.get(c.kind, c.kind)) for c in there.changes} == {(c.path, c.kind) for c in back.changes}


def test_true_is_not_one() -> None:
    comparison = compare(make(extensions={"a": {"b": 1}}), make(extensions={"a": {"b": True}}))
    assert words_of(comparison) == ["Extensions | a"]


def test_one_point_zero_is_one() -> None:
    assert compare(make(extensions={"a": [1]}), make(extensions={"a": [1.0]})).is_identical


def test_an_old_body_without_a_field_equals_one_that_has_its_default() -> None:
    old = AgentConfiguration.model_validate_json('{"name":"Clinic","tools":[{"name":"t"}]}')
    assert compare(old, read_document({"name": "Clinic", "tools": [{"name": "t", "timeout_s": 20.0}]})).is_identical


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"turn_taking": {"end_of_speech_wait_ms": 900}}, "End-of-speech wait | 700 → 900 ms"),
        ({"model": {"max_tokens": 500}}, "Longest answer | not set → 500 tokens"),
        ({"model": {"temperature": 1}}, "Temperature | 0.7 → 1"),
        ({"voice": {"voice": "Charlotte"}}, "TTS voice | not set → Charlotte"),
        ({"background_sound": {"enabled": True}}, "Background sound | off → on"),
        ({"system_prompt": "Be very kind.\n"}, "System prompt | +1 word"),
        ({"system_prompt": "Be  kind.\n"}, "System prompt | white space only"),
        ({"system_prompt": ""}, "System prompt | emptied"),
        ({"welcome_message": "Hello there"}, "Welcome message | written, 2 words"),
        ({"tools": []}, "Tool transfer | removed"),
        (
            {"tools": [{"name": "transfer", "endpoint": "https://a.example", "timeout_s": 30}]},
            "Tool transfer | timeout 20 → 30 s",
        ),
        (
            {
                "tools": [
                    {"name": "transfer"},
                ]
            },
            "Tool transfer | address https://a.example → not set",
        ),
        (
            {"tools": [{"name": "transfer", "timeout_s": 1, "method": "GET"}]},
            "Tool transfer | 3 fields: address, method, timeout",
        ),
        ({"guardrails": [{"name": "calm"}]}, "Guardrail calm | added"),
        ({"extensions": {"a": 1, "b": 2, "c": 3, "d": 4}}, "Extensions | written"),
    ],
)
def test_a_change_reads_as_words(fields: dict[str, Any], words: str) -> None:
    assert words_of(changed(**fields)) == [words]


def test_a_value_that_went_away_keeps_its_unit() -> None:
    assert words_of(compare(make(model={"max_tokens": 500}), make())) == ["Longest answer | 500 tokens → not set"]


def test_a_moved_paragraph_is_said_to_have_moved() -> None:
    first, second = (
        "Always greet the caller by name and ask how they are.\n",
        "Never give medical advice, whoever asks for it.\n",
    )
    other = "Speak slowly.\nConfirm each date.\nKeep it short.\n"
    base, head = make(system_prompt=first + other + second), make(system_prompt=other + second + first)
    assert words_of(compare(base, head)) == ["System prompt | 1 line moved"]


def test_a_new_order_is_one_change() -> None:
    a, b, c = ({"name": name} for name in "abc")
    comparison = compare(make(tools=[a, b, c]), make(tools=[c, a, b]))
    assert words_of(comparison) == ["Tools | put in another order"]
    assert comparison.changes[0].before == ["a", "b", "c"]
    assert comparison.changes[0].after == ["c", "a", "b"]


def test_an_added_item_at_the_front_is_no_new_order() -> None:
    a, b, c = ({"name": name} for name in "abc")
    assert words_of(compare(make(tools=[a, b]), make(tools=[c, a, b]))) == ["Tool c | added"]


def test_an_added_item_shows_what_it_holds_without_its_defaults() -> None:
    comparison = changed(guardrails=[{"name": "calm", "instruction": "Stay calm.", "checks": "both"}])
    assert [(d.field_label, d.before, d.after) for d in comparison.changes[0].details] == [
        ("Rule", MISSING, "Stay calm.")
    ]


def test_a_library_link_that_appears_is_one_change() -> None:
    tool = {"name": "transfer", "endpoint": "https://a.example", "timeout_s": 20}
    comparison = changed(tools=[{**tool, "library": {"entry": "crm", "revision": 2}}])
    assert comparison.changed_paths == ("tools[transfer]", "tools[transfer].library")


def test_the_suggested_description_says_everything() -> None:
    comparison = changed(
        voice={"voice": "Charlotte"}, tools=[{"name": "transfer", "endpoint": "https://a.example"}, {"name": "b"}]
    )
    assert comparison.in_words() == "TTS voice not set → Charlotte; Tool b added."


def test_tabs_that_did_not_change_are_named() -> None:
    assert [tab.label for tab in changed(model={"temperature": 0}).unchanged_tabs] == [
        tab.label for tab in TABS if tab.key != "model"
    ]


@given(st.sampled_from(["a", "x]y", "a.b", "\\"]))
def test_any_tool_name_can_be_followed_back_to_its_value(name: str) -> None:
    comparison = changed(tools=[{"name": name}])
    added = next(change for change in comparison.changes if change.kind == "added")
    assert value_at(comparison.after, added.path)["name"] == name
    assert join(split(added.path)) == added.path


def test_comparing_twenty_kilobytes_takes_five_milliseconds_at_most() -> None:
    tools = [{"name": f"tool_{n}", "description": "Does something useful. " * 6, "timeout_s": n + 1} for n in range(30)]
    base = make(system_prompt="Say something kind to the caller.\n" * 300, tools=tools)
    head = make(
        system_prompt="Say something kind to the callers.\n" * 300, tools=[{**t, "timeout_s": 99} for t in tools]
    )
    assert len(write_body(base)) > 20_000
    assert fastest(lambda: compare(base, head)) < 0.005


def fastest(work: Any) -> float:
    """Seconds of the fastest of five runs, so that a busy machine does not fail the test."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
