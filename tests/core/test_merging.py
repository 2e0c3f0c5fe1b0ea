"""Three-way merge: both people's edits stay, and only the same field changed twice is a conflict."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.changes import compare
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.equality import same
from agentversions.core.merging import merge
from agentversions.core.paths import MISSING, value_at
from agentversions.core.reading import read_document, write_document
from tests.core.documents import documents

PLAIN = [
    "system_prompt",
    "model.temperature",
    "voice.voice",
    "turn_taking.max_duration_s",
    "extensions",
    "tools[a].method",
]
VALUES = {
    "model.temperature": [0.1, 0.2],
    "turn_taking.max_duration_s": [60.0, 90.0],
    "extensions": [{"a": 1}, {"a": True}],
    "tools[a].method": ["GET", "PUT"],
}


def document(*tools: str, **fields: Any) -> dict[str, Any]:
    """A complete document with tools of these names."""
    return write_document(read_document({"name": "Clinic", "tools": [{"name": name} for name in tools], **fields}))


def names(made: dict[str, Any]) -> list[str]:
    return [tool["name"] for tool in made["tools"]]


@given(documents(), documents())
@settings(max_examples=30)
def test_a_side_that_changed_nothing_leaves_the_other_side(base: dict[str, Any], other: dict[str, Any]) -> None:
    for merged in (merge(base=base, mine=other, theirs=base), merge(base=base, mine=base, theirs=other)):
        assert same(merged.document, other)
        assert not merged.conflicts


@given(documents(), documents())
@settings(max_examples=30)
def test_two_sides_that_agree_never_conflict(base: dict[str, Any], other: dict[str, Any]) -> None:
    merged = merge(base=base, mine=other, theirs=other)
    assert same(merged.document, other)
    assert not merged.conflicts


@given(documents(), documents(), documents())
@settings(max_examples=40)
def test_conflicts_stand_only_where_both_sides_changed_something(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merged = merge(base=base, mine=mine, theirs=theirs)
    for conflict in merged.conflicts:
        assert not same(conflict.base, conflict.mine)
        assert not same(conflict.base, conflict.theirs)
        assert not same(conflict.mine, conflict.theirs)
        if not conflict.is_order:
            assert value_at(merged.document, conflict.path) == conflict.theirs
    read_document(merged.document)


@given(documents(), documents(), documents())
@settings(max_examples=40)
def test_who_is_called_mine_decides_nothing_but_who_stands_at_a_conflict(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    one, other = merge(base=base, mine=mine, theirs=theirs), merge(base=base, mine=theirs, theirs=mine)
    assert {conflict.path for conflict in one.conflicts} == {conflict.path for conflict in other.conflicts}


@given(documents(), documents(), documents())
@settings(max_examples=40)
def test_choosing_mine_at_every_conflict_puts_my_side_in(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merged = merge(base=base, mine=mine, theirs=theirs)
    chosen = apply_edits(merged.document, tuple(conflict.edit_for_mine() for conflict in merged.conflicts))
    for conflict in merged.conflicts:
        if not conflict.is_order:
            assert same(value_at(chosen, conflict.path), conflict.mine)


@given(st.permutations(PLAIN), st.integers(0, len(PLAIN)), st.data())
def test_edits_of_different_fields_are_all_kept(paths: list[str], cut: int, data: st.DataObject) -> None:
    base = document("a", "b")
    edits = [Edit("set", path, data.draw(st.sampled_from(VALUES.get(path, ["one", "two"])))) for path in paths]
    mine, theirs = apply_edits(base, tuple(edits[:cut])), apply_edits(base, tuple(edits[cut:]))
    merged = merge(base=base, mine=mine, theirs=theirs)
    assert not merged.conflicts
    assert same(merged.document, apply_edits(base, tuple(edits)))


def test_the_same_field_changed_twice_is_a_conflict_at_that_field() -> None:
    base = document("a", system_prompt="one")
    merged = merge(base=base, mine={**base, "system_prompt": "two"}, theirs={**base, "system_prompt": "three"})
    assert [(c.path, c.base, c.mine, c.theirs) for c in merged.conflicts] == [("system_prompt", "one", "two", "three")]


def test_one_and_true_are_different_answers() -> None:
    base = document(extensions={"a": 0})
    merged = merge(base=base, mine={**base, "extensions": {"a": 1}}, theirs={**base, "extensions": {"a": True}})
    assert [conflict.path for conflict in merged.conflicts] == ["extensions"]


def test_both_add_a_tool_and_both_stay() -> None:
    merged = merge(base=document("a"), mine=document("a", "mine"), theirs=document("theirs", "a"))
    assert names(merged.document) == ["theirs", "a", "mine"]
    assert not merged.conflicts


def test_a_tool_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    base = document("a", "b")
    theirs = apply_edits(base, (Edit("set", "tools[b].timeout_s", 5.0),))
    merged = merge(base=base, mine=document("a"), theirs=theirs)
    assert [(conflict.path, conflict.mine) for conflict in merged.conflicts] == [("tools[b]", MISSING)]
    assert merged.conflicts[0].edit_for_mine() == Edit("remove", "tools[b]")


def test_a_tool_that_one_side_removed_stays_removed() -> None:
    merged = merge(base=document("a", "b"), mine=document("a"), theirs=document("a", "b", "c"))
    assert names(merged.document) == ["a", "c"]
    assert not merged.conflicts


def test_a_new_order_and_a_new_tool_are_both_kept() -> None:
    merged = merge(base=document("a", "b", "c"), mine=document("c", "a", "b"), theirs=document("a", "new", "b", "c"))
    assert names(merged.document) == ["c", "a", "new", "b"]
    assert not merged.conflicts


def test_two_different_orders_are_a_conflict_and_theirs_stands() -> None:
    merged = merge(base=document("a", "b", "c"), mine=document("c", "a", "b"), theirs=document("b", "a", "c"))
    assert names(merged.document) == ["b", "a", "c"]
    conflict = merged.conflicts[0]
    assert (conflict.path, conflict.is_order) == ("tools", True)
    assert names(apply_edits(merged.document, (conflict.edit_for_mine(),))) == ["c", "a", "b"]


def test_a_library_link_is_taken_whole() -> None:
    def linked(entry: str, revision: int) -> dict[str, Any]:
        return document(tools=[{"name": "a", "library": {"entry": entry, "revision": revision}}])

    merged = merge(base=linked("crm", 1), mine=linked("crm", 2), theirs=linked("other", 1))
    assert [conflict.path for conflict in merged.conflicts] == ["tools[a].library"]


@given(documents(), documents(), documents())
@settings(max_examples=30)
def test_what_only_one_side_changed_is_as_that_side_left_it(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merged = merge(base=base, mine=mine, theirs=theirs)
    for path in ("name", "model.temperature", "voice.voice", "turn_taking.max_duration_s", "call_analysis.prompt"):
        if same(value_at(theirs, path), value_at(base, path)):
            assert same(value_at(merged.document, path), value_at(mine, path))
    assert compare(read_document(merged.document), read_document(merged.document)).is_identical
