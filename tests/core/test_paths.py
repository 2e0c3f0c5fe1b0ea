"""Paths name places by key, survive any key, and refuse what the schema does not have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.paths import (
    MISSING,
    ItemKey,
    UnknownPath,
    field_of,
    join,
    key_field,
    label_of,
    shown_as,
    split,
    unit_of,
    value_at,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
ITEM_KEYS = st.text(min_size=1, max_size=12).map(ItemKey)


@given(NAMES, st.lists(NAMES | ITEM_KEYS, max_size=5))
def test_split_undoes_join_for_any_key(first: str, rest: list[str | ItemKey]) -> None:
    steps = (first, *rest)
    assert split(join(steps)) == steps


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        steps = split(text)
    except UnknownPath:
        return
    assert join(steps) == text


@pytest.mark.parametrize(
    "path", [".tools", "tools[a]name", "tools[]", "tools[a", "a..b", "tools.", "[a]", "tools[a\\b]", "ä"]
)
def test_what_is_not_written_like_a_path_is_refused(path: str) -> None:
    with pytest.raises(UnknownPath):
        field_of(path)


@pytest.mark.parametrize(
    "path", ["", "unknown", "model.unknown", "model[x]", "tools.name", "tools[a][b]", "extensions.source", "name.name"]
)
def test_places_the_schema_does_not_have_are_refused(path: str) -> None:
    with pytest.raises(UnknownPath):
        field_of(path)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("model.temperature", "Temperature"),
        ("system_prompt", "System prompt"),
        ("background_sound.enabled", "Background sound"),
        ("tools[crm]", "Tool crm"),
        ("tools[crm].timeout_s", "Tool crm: Timeout"),
        ("knowledge_bases[kb].retrieval.top_k", "Knowledge base kb: Retrieval: Passages"),
        ("call_analysis.fields[mood].type", "Analysis field mood: Type"),
        ("workflow.nodes[start].prompt", "Node start: Prompt"),
        ("", ""),
        ("nowhere", ""),
    ],
)
def test_a_path_reads_as_words(path: str, label: str) -> None:
    assert label_of(path) == label


def test_the_key_of_a_list_is_found_only_for_keyed_lists() -> None:
    assert key_field("tools") == "name"
    assert key_field("workflow.edges") == "id"
    assert key_field("tools[a].choices") is None
    assert key_field("tools[x.tools]") is None


def test_units_and_kinds_come_from_the_schema() -> None:
    assert unit_of("turn_taking.end_of_speech_wait_ms") == "ms"
    assert unit_of("system_prompt") == ""
    assert shown_as("system_prompt") == "text"
    assert shown_as("tools[a].headers") == "json"
    assert shown_as("tools[a].library") == "json"
    assert shown_as("model.temperature") == "value"


def test_a_value_is_found_by_key_and_missing_where_there_is_nothing() -> None:
    document = {"tools": [{"name": "a.b]", "timeout_s": 3}, "not an object"], "model": None}
    assert value_at(document, "tools[a.b\\]].timeout_s") == 3
    assert value_at(document, "tools[other]") is MISSING
    assert value_at(document, "model.temperature") is MISSING
    assert value_at(document, "voice") is MISSING
