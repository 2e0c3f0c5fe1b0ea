"""The editor's controls: found in the schema alone, read back to the value they show, errors at their line."""

import json
from typing import Any

import pytest

from agentversions.core.configuration import TABS, AgentConfiguration
from agentversions.core.controls import Group, ItemList, control_path_of, controls_of, lay_out
from agentversions.core.json_places import line_of, location_of
from agentversions.core.paths import ItemKey, label_of, value_at
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document, write_document
from agentversions.core.token_estimate import estimate_tokens
from agentversions.core.typed_values import read_typed, with_lines


def full_document() -> dict[str, Any]:
    """A configuration with an item in every list."""
    return write_document(
        read_document(
            {
                "name": "Clinic",
                "variables": [{"name": "patient"}],
                "knowledge_bases": [{"id": "prices"}],
                "tools": [{"name": "book [a] slot", "headers": {"A": "1"}}],
                "call_analysis": {"fields": [{"name": "mood", "type": "choice", "choices": ["good", "bad"]}]},
                "workflow": {"nodes": [{"id": "start"}]},
                "guardrails": [{"name": "No advice"}],
                "extensions": {"source": "x"},
            }
        )
    )


def test_every_field_of_the_schema_has_a_control() -> None:
    tops = {path.split(".")[0].split("[")[0] for path in controls_of(full_document())}
    assert tops == set(AgentConfiguration.model_fields)


def test_every_control_has_a_label_and_an_id_of_its_own() -> None:
    controls = controls_of(full_document())
    assert all(control.label and label_of(control.path) for control in controls.values())
    assert len({control.id for control in controls.values()}) == len(controls)


def test_what_a_control_shows_reads_back_as_the_value_it_stands_for() -> None:
    document = full_document()
    for control in controls_of(document).values():
        assert read_typed(control.path, control.text) == value_at(document, control.path), control.path


def test_a_line_break_in_a_short_text_gets_a_box_that_keeps_it() -> None:
    document = write_document(read_document({"name": "Two\nlines"}))
    assert controls_of(document)["name"].kind == "text"


def test_items_are_known_by_their_key_and_tabs_keep_the_order_of_the_schema() -> None:
    tools = next(tab for tab in TABS if tab.key == "tools")
    (block,) = lay_out(tools, full_document())
    assert isinstance(block, ItemList)
    assert [item.key for item in block.items] == ["book [a] slot"]
    guardrails = next(tab for tab in TABS if tab.key == "guardrails")
    assert [type(block) for block in lay_out(guardrails, full_document())] == [ItemList, Group]


@pytest.mark.parametrize(
    ("path", "shown_at"),
    [
        ("workflow.nodes[start].prompt", "workflow"),
        ("tools[crm].headers.Authorization", "tools[crm].headers"),
        ("extensions.source.key", "extensions"),
        ("model.temperature", "model.temperature"),
        ("tools[crm]", "tools[crm]"),
        ("no such path ]", "no such path ]"),
    ],
)
def test_an_error_deep_inside_is_shown_at_the_control_that_holds_it(path: str, shown_at: str) -> None:
    assert control_path_of(path) == shown_at


@pytest.mark.parametrize("typed", ["", "1,5", "12 ms", "1_000", "inf", "nan", "1e999", "٣", "9" * 400])
def test_what_is_no_number_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        read_typed("model.temperature", typed)
    assert refusal.value.errors[0].message.startswith("Temperature ")


def test_a_value_is_found_on_its_line() -> None:
    document = {"nodes": [{"id": "a", "data": {'x"y': [1, {"z": 2}]}}, {"id": "b", "label": ""}], "edges": []}
    text = json.dumps(document, indent=1)
    lines = text.split("\n")
    assert '"label"' in lines[line_of(text, ("nodes", 1, "label")) - 1]
    assert '"z"' in lines[line_of(text, ("nodes", 0, "data", 'x\\"y', 1, "z")) - 1]
    assert '"edges"' in lines[line_of(text, ("edges", 7, "gone")) - 1]
    assert location_of(document, ("nodes", ItemKey("b"), "label")) == ("nodes", 1, "label")


def test_an_error_about_an_item_without_a_key_still_has_its_line() -> None:
    text = '{\n"nodes": [\n{"label": "no id"}\n]}'
    (error,) = with_lines((FieldError("workflow.nodes[0].id", "missing"),), {"workflow": text})
    assert (error.path, error.line) == ("workflow", 3)


def test_tokens_are_estimated_by_script() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("x" * 400) == 100
    assert estimate_tokens("你好") == 2


def test_the_fingerprint_of_a_knowledge_base_is_shown_and_not_typed() -> None:
    read_only = [control.path for control in controls_of(full_document()).values() if control.is_read_only]
    assert read_only == ["knowledge_bases[prices].fingerprint"]
