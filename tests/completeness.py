"""Walks the schema and finds what is missing for a field: its label, tab, place in the snapshot, on the page, after a
restore. Every function answers with sentences that name the field."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agentversions.core.configuration import KEYED_LISTS, TABS, AgentConfiguration, Tab
from agentversions.core.paths import MISSING, label_of, part_of, shown_as, unit_of, value_at
from agentversions.core.wording import say_value

ITEM = "item"
"""The key of the one item that every list of the sample holds."""


@dataclass(frozen=True)
class Leaf:
    """A field that holds a value: its path in the sample, and whether it is the key of an item."""

    path: str
    field: FieldInfo
    is_key: bool

    @property
    def tab_field(self) -> str:
        return re.split(r"[.\[]", self.path)[0]


def leaves(schema: type[BaseModel] = AgentConfiguration, path: str = "") -> Iterator[Leaf]:
    """Every field that holds a value, also inside parts, optional parts and items of lists."""
    list_path, _, _ = path.rpartition("[")
    parent, _, name_of_list = list_path.rpartition(".")
    key_name = KEYED_LISTS.get((parent, name_of_list)) if path.endswith("]") else None
    for name, field in schema.model_fields.items():
        place = f"{path}.{name}" if path else name
        part = part_of(field)
        if (path, name) in KEYED_LISTS and part:
            yield from leaves(part, f"{place}[{ITEM}]")
        elif part:
            yield from leaves(part, place)
        else:
            yield Leaf(place, field, is_key=name == key_name)


def gaps_in_schema(schema: type[BaseModel], tabs: tuple[Tab, ...] = TABS) -> list[str]:
    """What the schema lacks: a label, exactly one tab, a place in the snapshot."""
    snapshot = sample(schema)
    found = []
    for leaf in leaves(schema):
        homes = [tab.key for tab in tabs if leaf.tab_field in tab.fields]
        if not leaf.field.title:
            found.append(f"{leaf.path} has no label (title).")
        if len(homes) != 1:
            found.append(f"{leaf.path} belongs to {homes or 'no tab'}; it must belong to exactly one.")
        if value_at(snapshot, leaf.path) is MISSING:
            found.append(f"{leaf.path} is not in the snapshot.")
    return found


def sample(schema: type[BaseModel], **fields: Any) -> dict[str, Any]:
    """A document of the schema in which every list has an item and every optional part is there."""
    document = {"name": "Clinic", **_filled(schema, ""), **fields}
    return schema.model_validate(document).model_dump(mode="json")


def _filled(model: type[BaseModel], path: str) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        place, part = f"{path}.{name}" if path else name, part_of(field)
        if (path, name) in KEYED_LISTS and part:
            filled[name] = [{KEYED_LISTS[path, name]: ITEM, **_filled(part, f"{place}[{ITEM}]")}]
        elif part:
            filled[name] = _filled(part, place)
        elif field.is_required() and name not in ("id", "name"):
            filled[name] = 1 if field.annotation is int else ITEM
    return filled


def two_values(leaf: Leaf) -> tuple[Any, Any]:
    """Two different values that the field takes."""
    kind, name = leaf.field.annotation, leaf.path.rpartition(".")[2]
    options = get_args(kind)
    if leaf.is_key:
        return ITEM, "other"
    if get_origin(kind) is Literal:
        return options[0], options[1]
    if kind is bool:
        return False, True
    if kind in (int, float) or int in options:
        low = next((limit.ge for limit in leaf.field.metadata if hasattr(limit, "ge")), 0) or 0
        return (low + 1, low + 2) if kind is not float or name.endswith("_s") else (low + 0.25, low + 0.5)
    if get_origin(kind) is tuple:
        return ["one"], ["two"]
    if get_origin(kind) is dict:
        return {"X-Shade": "amber"}, {"X-Shade": "violet"}
    return f"amber {name}", f"violet {name}"


def gaps_on_page(page: str, leaf: Leaf, anchor: str) -> list[str]:
    """What the compare page lacks of a field that differs: its label, or one of both values."""
    place = _place(page, anchor)
    if place is None:
        return [f"{leaf.path} differs, and the compare page has no place for it."]
    text = html.unescape(re.sub(r"<[^>]+>", "", place))
    label = (leaf.field.title or leaf.path) if not leaf.is_key else label_of(leaf.path.rpartition(".")[0])
    found = [] if label in text else [f"{leaf.path} is on the compare page without its label “{label}”."]
    for value in two_values(leaf) if not leaf.is_key else ():
        words = _words_of(value, leaf)
        if words not in text:
            found.append(f"{leaf.path} is on the compare page without its value “{words}”.")
    return found


def _words_of(value: Any, leaf: Leaf) -> str:
    if shown_as(leaf.path) == "json":
        return str(next(iter(value.values())))
    unit = unit_of(leaf.path)
    return say_value(value, "" if unit == (leaf.field.title or "").lower() else unit)


def _place(page: str, anchor: str) -> str | None:
    """The row or the section with this id; for a block inside an item, from its label on."""
    start = page.find(f'id="{anchor}"')
    if start < 0:
        return None
    is_row = page.rfind("<tr", 0, start) > page.rfind("<section", 0, start) and page[:start].endswith("<tr ")
    end = page.find("</tr>" if is_row else "</section>", start)
    return "<" + page[start:end]
