"""What blocks publishing is found and named; what is only doubtful is a warning."""

from typing import Any

import pytest

from agentversions.core.problems import blocking, find_problems, unknown_variables
from agentversions.core.reading import read_document


def problems(**fields: Any) -> dict[str, bool]:
    """The problems' paths, with whether each blocks."""
    configuration = read_document({"name": "A", "system_prompt": "You help.", **fields})
    return {problem.path: problem.is_blocking for problem in find_problems(configuration)}


def test_a_plain_prompt_can_be_published() -> None:
    assert problems() == {}


TOOL = {"name": "sms", "description": "Sends a text", "endpoint": "https://example.com/sms"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"system_prompt": " \n"}, "system_prompt"),
        ({"name": "   "}, "name"),
        ({"model": {"name": ""}}, "model.name"),
        ({"tools": [{**TOOL, "endpoint": ""}]}, "tools[sms].endpoint"),
        ({"tools": [{**TOOL, "endpoint": "ftp://x"}]}, "tools[sms].endpoint"),
        ({"tools": [{**TOOL, "endpoint": "javascript:alert(1)"}]}, "tools[sms].endpoint"),
        ({"tools": [{**TOOL, "parameters": {"type": "thing"}}]}, "tools[sms].parameters"),
        ({"tools": [{**TOOL, "parameters": {"properties": []}}]}, "tools[sms].parameters"),
        ({"call_analysis": {"fields": [{"name": "mood", "type": "choice"}]}}, "call_analysis.fields[mood].choices"),
        ({"kind": "workflow"}, "workflow.nodes"),
        (
            {"workflow": {"nodes": [{"id": "a"}], "edges": [{"id": "e", "source": "a", "target": "b"}]}},
            "workflow.edges[e]",
        ),
    ],
)
def test_blocking_problems_name_their_field(fields: dict[str, Any], path: str) -> None:
    assert problems(**fields) == {path: True}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"system_prompt": "Say {{first_name}}."}, "system_prompt"),
        ({"system_prompt": "The key is sk-" + "a1B2" * 8}, "system_prompt"),
        ({"tools": [{**TOOL, "description": ""}]}, "tools[sms].description"),
    ],
)
def test_doubtful_things_are_warnings(fields: dict[str, Any], path: str) -> None:
    assert problems(**fields) == {path: False}


def test_a_client_tool_needs_no_address() -> None:
    assert problems(tools=[{**TOOL, "kind": "client", "endpoint": ""}]) == {}


def test_variables_are_known_from_the_configuration_and_the_platform() -> None:
    configuration = read_document(
        {
            "name": "A",
            "system_prompt": "{{caller_number}} {{ plan }} {{secret:KEY}} {{city}} {{city}}",
            "variables": [{"name": "plan"}],
        }
    )
    assert unknown_variables(configuration) == ("city",)


def test_every_problem_is_a_sentence_with_a_tab() -> None:
    configuration = read_document({"name": "A", "kind": "workflow", "tools": [{"name": "x"}], "model": {"name": ""}})
    found = find_problems(configuration)
    assert [problem.tab.key for problem in blocking(found)] == ["model", "tools", "workflow"]
    assert all(problem.message.endswith(".") for problem in found)
