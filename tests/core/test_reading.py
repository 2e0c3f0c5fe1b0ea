"""A configuration from outside is stored complete and exactly, or refused with a sentence that names the field."""

import json
from typing import Any

import pytest

from agentversions.core.canonical_json import canonical
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.reading import InvalidConfiguration, read_body, read_document, read_json, write_body


def refusal(document: Any) -> tuple[str, str]:
    """Path and sentence of the first error."""
    with pytest.raises(InvalidConfiguration) as refused:
        read_document(document)
    return refused.value.errors[0].path, refused.value.errors[0].message


def tool(**fields: Any) -> dict[str, Any]:
    return {"name": "A", "tools": [{"name": "crm", **fields}]}


def test_a_name_is_enough_and_everything_else_is_filled_in() -> None:
    configuration = read_document({"name": "A"})
    assert set(json.loads(write_body(configuration))) == set(AgentConfiguration.model_fields)


def test_reading_a_stored_body_and_writing_it_again_gives_the_same_bytes() -> None:
    body = write_body(read_document({"name": "A", "model": {"temperature": 1}, "extensions": {"z": [1.5, "é"]}}))
    assert write_body(read_body(body)) == body


def test_an_old_body_without_a_newer_field_reads_as_its_default() -> None:
    document = json.loads(write_body(read_document({"name": "A"})))
    del document["guardrails"], document["turn_taking"]["max_duration_s"]
    assert read_body(canonical(document)) == read_document({"name": "A"})


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ({}, "name", "Name is missing"),
        ({"name": ""}, "name", "Name is empty"),
        ({"name": "x" * 300}, "name", "longer than 200 characters"),
        ({"name": "A", "kind": "swarm"}, "kind", "Kind must be one of"),
        ({"name": "A", "model": {"temperature": 3}}, "model.temperature", "Temperature must be at most 2"),
        ({"name": "A", "model": {"temperature": "warm"}}, "model.temperature", "Temperature"),
        ({"name": "A", "colour": "red"}, "colour", "not a field of a configuration"),
        ({"name": "A", "model": {"nam": 1}}, "model.nam", "not a field of a configuration"),
        (tool(timeout_s=0), "tools[crm].timeout_s", "more than 0"),
        (tool(method="FETCH"), "tools[crm].method", "must be one of"),
        (tool(headers={"X-Api-Key": "abc123"}), "tools[crm].headers", "looks like a key"),
        (tool(headers={"Authorization": "Bearer abc"}), "tools[crm].headers", "{{secret:NAME}}"),
        (tool(endpoint="https://u:p@example.com/"), "tools[crm].endpoint", "holds a key or a password"),
        (tool(headers={"X": 1}), "tools[crm].headers.X", "string"),
        ([1], "", "JSON object"),
    ],
)
def test_a_wrong_field_is_named_in_a_sentence(document: Any, path: str, words: str) -> None:
    refused_path, message = refusal(document)
    assert refused_path == path
    assert words in message
    assert message.endswith(".")


def test_two_tools_with_one_name_are_refused() -> None:
    document = {"name": "A", "tools": [{"name": "crm"}, {"name": "crm"}]}
    assert refusal(document)[1] == "Two entries of “Tool” are called “crm”. Rename one of them."


def test_two_workflow_nodes_with_one_id_are_refused() -> None:
    document = {"name": "A", "workflow": {"nodes": [{"id": "a"}, {"id": "a"}]}}
    assert "“a”" in refusal(document)[1]


def test_over_2_mb_is_refused_also_when_escaping_makes_it_so() -> None:
    assert "the limit is 2 MB" in refusal({"name": "A", "system_prompt": "\x01" * 400_000})[1]


def test_bad_json_says_line_and_column() -> None:
    with pytest.raises(InvalidConfiguration, match="Line 2, column 1"):
        read_json('{"name": "A",\n}')


def test_an_unfinished_tool_can_be_stored() -> None:
    assert read_document(tool()).tools[0].endpoint == ""


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{% load x %}{{ y }}", "\x1b[31mred\x1b[0m", "a\r\nb\u00a0 "]
)
def test_strange_prompts_are_kept_to_the_byte(text: str) -> None:
    configuration = read_document({"name": "A", "system_prompt": text})
    assert read_body(write_body(configuration)).system_prompt == text
