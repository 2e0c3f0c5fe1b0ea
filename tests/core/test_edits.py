"""Edits make a new document, touch only their place, and refuse places that are not there."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.edits import Edit, apply_edits
from agentversions.core.paths import MISSING, ItemKey, UnknownPath, join, value_at
from agentversions.core.reading import read_document, write_document
from tests.core.documents import JSON, KEYS, documents

PATHS = st.sampled_from(
    ["name", "model.temperature", "tools", "tools[a]", "tools[a].timeout_s", "tools[a].library.entry", "extensions",
     "workflow.nodes[x\\]y].data", "call_analysis.fields[b].choices", "nowhere", "tools[", ""]
)  # fmt: skip


def document(**fields: Any) -> dict[str, Any]:
    """A complete document."""
    return write_document(read_document({"name": "Clinic", "tools": [{"name": "a"}, {"name": "b"}], **fields}))


@given(documents(), st.lists(st.builds(Edit, st.sampled_from(["set", "remove", "order"]), PATHS, JSON), max_size=4))
@settings(max_examples=40)
def test_any_edits_are_done_or_refused_and_never_touch_the_given_document(
    given_document: dict[str, Any], edits: list[Edit]
) -> None:
    before, values = copy.deepcopy(given_document), copy.deepcopy(edits)
    with contextlib.suppress(UnknownPath):
        apply_edits(given_document, tuple(edits))
    assert given_document == before
    assert edits == values


@given(documents(), KEYS, JSON)
def test_an_item_that_was_set_is_found_again_and_gone_after_removal(
    given_document: dict[str, Any], key: str, value: Any
) -> None:
    path = join(("tools", ItemKey(key)))
    with_item = apply_edits(given_document, (Edit("set", path, {"description": value}),))
    assert value_at(with_item, f"{path}.description") == value
    assert value_at(with_item, f"{path}.name") == key
    without = apply_edits(with_item, (Edit("remove", path),))
    assert value_at(without, path) is MISSING
    assert [item for item in given_document["tools"] if item["name"] != key] == without["tools"]


def test_only_the_named_field_changes() -> None:
    before = document()
    after = apply_edits(before, (Edit("set", "tools[b].timeout_s", 5),))
    assert value_at(after, "tools[b].timeout_s") == 5
    assert apply_edits(after, (Edit("set", "tools[b].timeout_s", 20.0),)) == before


def test_a_later_edit_of_the_same_batch_leaves_the_earlier_value_as_it_was_given() -> None:
    value = {"name": "c", "timeout_s": 1}
    after = apply_edits(document(), (Edit("set", "tools[c]", value), Edit("set", "tools[c].timeout_s", 9)))
    assert value_at(after, "tools[c].timeout_s") == 9
    assert value == {"name": "c", "timeout_s": 1}


def test_an_item_may_be_renamed_and_keeps_its_place() -> None:
    after = apply_edits(document(), (Edit("set", "tools[a].name", "z"),))
    assert [tool["name"] for tool in after["tools"]] == ["z", "b"]


def test_an_order_keeps_items_it_does_not_name_at_the_end() -> None:
    tools = [{"name": name} for name in "abcd"]
    after = apply_edits(document(tools=tools), (Edit("order", "tools", ["d", "gone", "b", 7, ["x"]]),))
    assert [tool["name"] for tool in after["tools"]] == ["d", "b", "a", "c"]


def test_an_emptied_box_of_an_optional_field_means_not_set() -> None:
    after = apply_edits(document(model={"max_tokens": 5}), (Edit("set", "model.max_tokens", ""),))
    assert after["model"]["max_tokens"] is None
    assert apply_edits(document(), (Edit("set", "welcome_message", ""),))["welcome_message"] == ""


@pytest.mark.parametrize(
    "edit",
    [
        Edit("remove", "system_prompt"),
        Edit("set", "tools[gone].timeout_s", 1),
        Edit("set", "tools[a].library.entry", "crm"),
        Edit("set", "tools[a]", "not an object"),
        Edit("order", "system_prompt", []),
        Edit("order", "tools", "abc"),
        Edit("order", "tools[a]", ["a"]),
        Edit("set", "nowhere", 1),
    ],
)
def test_a_place_that_is_not_there_is_refused_with_a_sentence_that_names_it(edit: Edit) -> None:
    with pytest.raises(UnknownPath, match=edit.path.replace("[", r"\[").replace("]", r"\]")):
        apply_edits(document(), (edit,))


def test_removing_what_is_gone_already_is_no_error() -> None:
    assert apply_edits(document(), (Edit("remove", "tools[gone]"),)) == document()
