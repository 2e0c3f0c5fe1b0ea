"""Every field of the schema has a label, one tab and a place in the snapshot; one without them fails by its name."""

import json

import pytest
from pydantic import Field

from agentversions.core import changes, configuration, paths, reading
from agentversions.core.changes import compare
from agentversions.core.configuration import KEYED_LISTS, TABS, AgentConfiguration, Part, Tool, setting
from agentversions.core.paths import label_of, part_of, shown_as
from agentversions.core.reading import read_body, read_document, write_body
from agentversions.core.sections import sections_of
from agentversions.core.text_tables import Look
from tests.completeness import Leaf, gaps_in_schema, leaves, sample, two_values


class WithoutLabel(AgentConfiguration):
    """A schema whose author forgot the label."""

    accent: str = ""


class WithoutTab(AgentConfiguration):
    """A schema whose author forgot the tab."""

    accent: str = setting("", label="Accent")


class OutsideTheSnapshot(AgentConfiguration):
    """A schema whose author kept a field out of what is stored."""

    voice_note: str = Field("", title="Voice note", exclude=True)


class CarefulTool(Tool):
    """A tool with a field that has no label."""

    retries: int = 0


class WithCarefulTools(AgentConfiguration):
    """A schema whose author forgot the label of a field deep inside."""

    tools: tuple[CarefulTool, ...] = setting((), label="Tool")  # type: ignore[assignment]


def test_every_field_has_a_label_one_tab_and_a_place_in_the_snapshot() -> None:
    assert gaps_in_schema(AgentConfiguration) == []


@pytest.mark.parametrize(
    ("schema", "gap"),
    [
        (WithoutLabel, "accent has no label (title)."),
        (WithoutTab, "accent belongs to no tab; it must belong to exactly one."),
        (OutsideTheSnapshot, "voice_note is not in the snapshot."),
        (WithCarefulTools, "tools[item].retries has no label (title)."),
    ],
)
def test_a_new_field_without_them_fails_by_its_name(schema: type[Part], gap: str) -> None:
    assert gap in gaps_in_schema(schema)


def test_a_field_in_two_tabs_fails_by_its_name() -> None:
    twice = (*TABS, TABS[1].model_copy(update={"key": "again"}))
    assert "model.temperature belongs to ['model', 'again']; it must belong to exactly one." in gaps_in_schema(
        AgentConfiguration, twice
    )


def test_every_tab_names_only_fields_that_exist() -> None:
    assert {field for tab in TABS for field in tab.fields} == set(AgentConfiguration.model_fields)


def test_no_two_fields_have_the_same_words() -> None:
    labels = [label_of(leaf.path) for leaf in leaves()]
    assert sorted({label for label in labels if labels.count(label) > 1}) == []


def test_every_list_of_parts_has_a_key() -> None:
    for (parent, name), key in KEYED_LISTS.items():
        owner = part_of(AgentConfiguration.model_fields[parent]) if parent else AgentConfiguration
        item = part_of(owner.model_fields[name]) if owner else None
        assert item is not None
        assert item.model_fields[key].is_required()


def test_every_json_field_is_marked_as_json() -> None:
    for leaf in leaves():
        value = two_values(leaf)[0]
        assert (shown_as(leaf.path) == "json") == isinstance(value, dict), leaf.path


@pytest.mark.parametrize(
    "leaf", [leaf for leaf in leaves() if not leaf.field.is_required()], ids=lambda leaf: leaf.path
)
def test_an_old_body_without_the_field_equals_one_that_has_its_default(leaf: Leaf) -> None:
    document = sample(AgentConfiguration)
    body = write_body(read_document(document))
    *parents, name = leaf.path.replace("[item]", ".0").split(".")
    owner = document
    for step in parents:
        owner = owner[int(step)] if isinstance(owner, list) else owner[step]
    del owner[name]
    assert compare(read_body(json.dumps(document)), read_body(body)).is_identical


def test_a_new_field_with_label_and_tab_is_compared_without_more_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (changes, paths, reading):
        monkeypatch.setattr(module, "AgentConfiguration", WithoutTab)
    monkeypatch.setitem(configuration.TAB_OF_FIELD, "accent", TABS[0])
    before, after = (reading.read_document({"name": "Clinic", "accent": accent}) for accent in ("soft", "hard"))
    comparison = compare(before, after)
    assert [f"{change.label} {change.summary}" for change in comparison.changes] == ["Accent soft → hard"]
    section = sections_of(comparison, look=Look(), is_everything=False)[0]
    assert section.settings[0].label == "Accent"
    old = reading.read_body('{"name":"Clinic","accent":"soft"}')
    assert compare(old, before).is_identical
