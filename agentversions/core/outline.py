"""Lays a configuration out for reading: every setting with its label, unit and value, by the editor's tabs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .configuration import TABS, AgentConfiguration, Tab
from .paths import ItemKey, Step, field_of, join, key_field, label_of, part_of, shown_as, unit_of
from .reading import write_document
from .wording import say_value


@dataclass(frozen=True)
class Setting:
    """One setting: its place, label and value. `text` is the value as it is shown (long text and JSON in full);
    `shown_as` is value, text, json or item; an item of a list has its own settings as `children`."""

    path: str
    label: str
    shown_as: str
    text: str
    children: tuple["Setting", ...] = ()


@dataclass(frozen=True)
class Section:
    """The settings of one tab; a workflow also as the JSON that its editor shows, empty where there is none."""

    tab: Tab
    settings: tuple[Setting, ...]
    json: str = ""


def outline(configuration: AgentConfiguration) -> tuple[Section, ...]:
    """Everything a configuration holds, so that a page shows all of it without knowing a field by name."""
    document = write_document(configuration)
    return tuple(
        Section(
            tab,
            tuple(setting for name in tab.fields for setting in _settings((name,), document[name])),
            _as_json(document["workflow"]) if tab.key == "workflow" and configuration.workflow.nodes else "",
        )
        for tab in TABS
    )


def _settings(steps: tuple[Step, ...], value: Any) -> Iterator[Setting]:
    path = join(steps)
    key = key_field(path)
    if key:
        for item in value:
            place = (*steps, ItemKey(item[key]))
            children = tuple(
                setting for name, inner in item.items() if name != key for setting in _settings((*place, name), inner)
            )
            yield Setting(join(place), label_of(join(place)), "item", "", children)
    elif isinstance(value, dict) and part_of(field_of(path)):
        for name, inner in value.items():
            yield from _settings((*steps, name), inner)
    else:
        yield Setting(path, _label(steps), shown_as(path), _text(path, value))


def _label(steps: tuple[Step, ...]) -> str:
    """The field's own words; what it belongs to already stands above it."""
    return field_of(join(steps)).title or ""


def _text(path: str, value: Any) -> str:
    if shown_as(path) == "json":
        return _as_json(value) if value else ""
    if shown_as(path) == "text":
        return str(value)
    return say_value(value, unit_of(path))


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
