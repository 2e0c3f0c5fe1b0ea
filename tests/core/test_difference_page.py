"""What the compare page is made of: tables of lines, sections, the drawn workflow, readable JSON. Without a page."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.changes import compare
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.json_text import pretty
from agentversions.core.reading import read_document
from agentversions.core.sections import Section, sections_of
from agentversions.core.text_diff import diff_text
from agentversions.core.text_tables import ROW_LIMIT, Gap, Line, Look, TextTable, text_table
from agentversions.core.workflow_changes import draw_difference
from tests.core.documents import OBJECTS, configurations

UNFOLDED = Look(is_unfolded=True, has_all_rows=True)
TEXTS = st.lists(st.sampled_from(["one two", "three", "", "four five six", "  x"]), max_size=12).map("\n".join)


def table(base: str, head: str, look: Look = UNFOLDED) -> TextTable:
    return text_table(diff_text(base, head), anchor="at-text", look=look)


def shown(lines: list[Line], side: str) -> str:
    return "\n".join("".join(run.text for run in getattr(line, side)) for line in lines)


def make(**fields: Any) -> AgentConfiguration:
    return read_document({"name": "Clinic", **fields})


def sections(base: AgentConfiguration, head: AgentConfiguration, *, is_everything: bool = False) -> tuple[Section, ...]:
    return sections_of(compare(base, head), look=Look(), is_everything=is_everything)


@given(TEXTS, TEXTS)
@settings(max_examples=60)
def test_both_texts_stand_in_the_table_line_by_line(base: str, head: str) -> None:
    lines = [row for row in table(base, head).rows if isinstance(row, Line)]
    numbers = [line.base_number for line in lines if line.base_number]
    assert numbers == list(range(1, len(numbers) + 1))
    assert re.sub(r"[·↵]", "", shown([line for line in lines if line.base_number], "base_runs")).split() == base.split()
    assert re.sub(r"[·↵]", "", shown([line for line in lines if line.head_number], "head_runs")).split() == head.split()


@given(TEXTS, TEXTS)
@settings(max_examples=60)
def test_folding_leaves_out_only_unchanged_lines_that_follow_as_folded(base: str, head: str) -> None:
    rows = table(base, head, Look()).rows
    assert [row for row in rows if isinstance(row, Line) and row.is_folded and row.kind != "same"] == []
    hidden = sum(isinstance(row, Line) and row.is_folded for row in rows)
    assert hidden == sum(row.count for row in rows if isinstance(row, Gap))
    assert len([row for row in rows if isinstance(row, Line)]) == len(table(base, head).rows)


@given(TEXTS, TEXTS)
@settings(max_examples=40)
def test_each_changed_part_starts_once(base: str, head: str) -> None:
    rows = [row for row in table(base, head).rows if isinstance(row, Line)]
    for before, after in pairwise([Line("same", None, None), *rows]):
        assert after.is_start == (after.kind != "same" and before.kind == "same")


def test_a_line_end_that_went_away_is_visible() -> None:
    row = table("One.\n", "One.").rows[0]
    assert isinstance(row, Line)
    assert [run.text for run in row.base_runs] == ["One.", "↵"]


def test_the_indentation_of_a_new_line_is_not_marked() -> None:
    row = table("a\n", "a\n    b\n").rows[1]
    assert isinstance(row, Line)
    assert [(run.text, run.kind) for run in row.head_runs] == [("    ", "same"), ("b", "added")]


def test_a_moved_block_links_both_places() -> None:
    moved = "Confirm each date by repeating the weekday and the day of the month.\n"
    rest = "One.\nTwo.\nThree.\nFour.\n"
    for look in (UNFOLDED, Look(is_inline=True)):
        links = [row.link for row in table(moved + rest, rest + moved, look).rows if isinstance(row, Line) and row.link]
        assert {(link.anchor, link.other) for link in links} == {
            ("at-text--from-1", "at-text--to-1"),
            ("at-text--to-1", "at-text--from-1"),
        }
        assert sorted(link.line for link in links) == [1, 5]


def test_rows_beyond_the_limit_are_counted_not_shown() -> None:
    long = "".join(f"Line {number}.\n" for number in range(ROW_LIMIT + 100))
    cut = table("", long, Look(is_unfolded=True))
    assert (len(cut.rows), cut.left_out) == (ROW_LIMIT, 100)
    assert table("", long).left_out == 0


@given(OBJECTS)
@settings(max_examples=40)
def test_json_keeps_its_meaning_when_the_breaks_are_taken_out(value: dict[str, Any]) -> None:
    text = pretty(value)
    assert json.loads(re.sub(r"\\n\n\s*", r"\\n", text)) == value


def test_a_long_text_inside_json_breaks_where_its_lines_end() -> None:
    assert pretty({"source": "one\ntwo\n", "path": "a\\nb"}).split("\n") == [
        "{",
        '  "path": "a\\\\nb",',
        '  "source": "one\\n',
        '    two\\n"',
        "}",
        "",
    ]


@given(configurations(), configurations(), st.booleans())
@settings(max_examples=30)
def test_every_change_has_its_place_among_the_sections(
    base: AgentConfiguration, head: AgentConfiguration, is_everything: bool
) -> None:
    comparison = compare(base, head)
    made = sections_of(comparison, look=Look(), is_everything=is_everything)
    places = {section.anchor for section in made}
    places |= {setting.anchor for section in made for setting in section.settings}
    assert {change.anchor for change in comparison.changes} <= places
    anchors = [section.anchor for section in made]
    assert len(set(anchors)) == len(anchors)


def test_texts_come_first_then_settings_then_items() -> None:
    head = make(system_prompt="Be kind.", variables=[{"name": "city"}], kind="workflow", model={"temperature": 0})
    assert [section.title for section in sections(make(), head)] == [
        "System prompt",
        "Prompt",
        "Variable city",
        "Model",
    ]


def test_a_changed_tool_shows_its_changed_fields_and_everything_shows_all() -> None:
    tool = {"name": "crm", "endpoint": "https://crm.example.com/v1/customers"}
    base, head = make(tools=[tool]), make(tools=[{**tool, "endpoint": "https://crm.example.com/v2/customers"}])
    only = sections(base, head)[0]
    assert [setting.label for setting in only.settings] == ["Address"]
    marked = [run.text for run in only.settings[0].after.runs if run.kind == "added"]
    assert "".join(marked) == "v2"
    everything = next(section for section in sections(base, head, is_everything=True) if section.title == "Tool crm")
    assert "Timeout" in [setting.label for setting in everything.settings]


def test_a_knowledge_base_is_shown_by_its_id_with_its_name() -> None:
    section = sections(make(), make(knowledge_bases=[{"id": "kb-1", "name": "Prices"}]))[0]
    assert (section.title, section.note, section.kind) == ("Knowledge base kb-1", "Prices", "added")


def test_an_edge_that_leads_elsewhere_is_drawn_removed_and_added() -> None:
    nodes = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    base, head = (
        make(workflow={"nodes": nodes, "edges": [{"id": "e", "source": "a", "target": target}]}) for target in "bc"
    )
    drawing = draw_difference(compare(base, head), look=Look())
    assert drawing is not None
    assert drawing.picture is not None
    assert sorted((way.edge.target, way.edge.kind) for way in drawing.picture.edges) == [
        ("b", "removed"),
        ("c", "added"),
    ]
    assert drawing.words == "1 edge added, 1 removed"


def test_every_node_of_both_sides_is_drawn_once_with_what_happened_to_it() -> None:
    base = make(workflow={"nodes": [{"id": "a"}, {"id": "b"}, {"id": "c", "label": "Old"}]})
    head = make(workflow={"nodes": [{"id": "a"}, {"id": "c", "label": "New"}, {"id": "d"}]})
    drawing = draw_difference(compare(base, head), look=Look())
    assert drawing is not None
    kinds = {drawn.placed.node.id: (drawn.placed.node.kind, bool(drawn.anchor)) for drawn in drawing.nodes}
    assert kinds == {"a": ("same", False), "b": ("removed", True), "c": ("changed", True), "d": ("added", True)}
    assert drawing.words == "1 node added, 1 removed, 1 changed"


def test_a_workflow_that_stayed_is_not_drawn_and_a_huge_one_is_only_json() -> None:
    nodes = [{"id": str(number)} for number in range(301)]
    assert draw_difference(compare(make(), make(system_prompt="x")), look=Look()) is None
    huge = draw_difference(compare(make(), make(workflow={"nodes": nodes})), look=Look())
    assert huge is not None
    assert huge.picture is None
    assert huge.json.rows


@pytest.mark.parametrize("history", ["ha-intents-ar", "ha-intents-zh-cn", "gemini-tools-json", "art-fnol-jinja"])
def test_any_step_of_a_real_history_becomes_sections(corpus: Path, history: str) -> None:
    files = sorted(path for path in (corpus / "histories" / history).iterdir() if path.name[:3].isdigit())[:6]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert texts, f"{history} holds no versions"
    for base, head in pairwise(texts):
        made = sections(make(system_prompt=base), make(system_prompt=head))
        assert len(made) == (base != head)
