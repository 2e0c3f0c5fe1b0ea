"""Edits of a draft: set a field, remove or add an item, put a list in order; applied to a document, never in place."""

import copy
from dataclasses import dataclass
from typing import Any, Literal

from .paths import MISSING, ItemKey, UnknownPath, field_of, join, key_field, split, value_at


@dataclass(frozen=True)
class Edit:
    """One edit. `set`: value at a field, or a whole item (added at the end when new); `remove`: an item;
    `order`: the keys of a list in their new order."""

    op: Literal["set", "remove", "order"]
    path: str
    value: Any = None


def apply_edits(document: dict[str, Any], edits: tuple[Edit, ...]) -> dict[str, Any]:
    """A new document with the edits done in their order. Raises UnknownPath for a place that does not exist."""
    result = copy.deepcopy(document)
    for edit in edits:
        field_of(edit.path)
        if edit.op == "order":
            _order(result, edit)
        else:
            _set_or_remove(result, edit)
    return result


def _set_or_remove(document: dict[str, Any], edit: Edit) -> None:
    *parents, last = split(edit.path)
    container = value_at(document, join(tuple(parents))) if parents else document
    if isinstance(last, ItemKey):
        _put_item(container, join(tuple(parents)), last.key, edit)
    elif edit.op == "remove":
        raise UnknownPath(f"“{edit.path}” is a field, and a field cannot be removed.")
    elif isinstance(container, dict):
        container[last] = _plain_empty(edit)
    else:
        raise UnknownPath(f"“{edit.path}” cannot be set: what it belongs to was removed.")


def _plain_empty(edit: Edit) -> Any:
    """An emptied input box of a field that may be empty means "not set"."""
    if edit.value == "" and type(None) in getattr(field_of(edit.path).annotation, "__args__", ()):
        return None
    return edit.value


def _put_item(items: Any, list_path: str, key: str, edit: Edit) -> None:
    name = key_field(list_path)
    if not isinstance(items, list) or name is None:
        raise UnknownPath(f"“{edit.path}” does not name an item.")
    index = next((index for index, item in enumerate(items) if item.get(name) == key), None)
    if edit.op == "remove":
        if index is not None:
            del items[index]
    elif not isinstance(edit.value, dict):
        raise UnknownPath(f"The value of “{edit.path}” must be an object.")
    elif index is None:
        items.append(edit.value)
    else:
        items[index] = edit.value


def _order(document: dict[str, Any], edit: Edit) -> None:
    items, name = value_at(document, edit.path), key_field(edit.path)
    if items is MISSING or name is None or not isinstance(edit.value, list):
        raise UnknownPath(f"“{edit.path}” is not a list that can be put in order.")
    places = {key: place for place, key in enumerate(edit.value)}
    items.sort(key=lambda item: places.get(item[name], len(places)))
