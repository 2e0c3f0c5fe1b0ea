"""Edits of a draft: set a field, remove or add an item, put a list in order; applied to a document, never in place."""

from dataclasses import dataclass
from typing import Any, Literal

from .paths import ItemKey, Step, UnknownPath, field_of, join, key_field, split


@dataclass(frozen=True)
class Edit:
    """One edit. `set`: value at a field, or a whole item (added at the end when new); `remove`: an item;
    `order`: the keys of a list in their new order (keys not named keep their order at the end)."""

    op: Literal["set", "remove", "order"]
    path: str
    value: Any = None


def apply_edits(document: dict[str, Any], edits: tuple[Edit, ...]) -> dict[str, Any]:
    """A new document with the edits done in their order. Raises UnknownPath for a place that does not exist."""
    for edit in edits:
        field_of(edit.path)
        document = _changed((), document, split(edit.path), edit)
    return document


def _changed(walked: tuple[Step, ...], container: Any, steps: tuple[Step, ...], edit: Edit) -> Any:
    """A copy of the container in which the edit is done; only what lies on the way is copied."""
    step, *rest = steps
    if isinstance(step, ItemKey):
        return _with_item(walked, container, step.key, tuple(rest), edit)
    if not isinstance(container, dict) or step not in container:
        raise UnknownPath(f"“{edit.path}” cannot be changed: what it belongs to is not there.")
    if rest:
        value = _changed((*walked, step), container[step], tuple(rest), edit)
    elif edit.op == "order":
        value = _ordered(container[step], edit)
    elif edit.op == "remove":
        raise UnknownPath(f"“{edit.path}” is a field, and a field cannot be removed.")
    else:
        value = _plain_empty(edit)
    return {**container, step: value}


def _with_item(walked: tuple[Step, ...], items: Any, key: str, rest: tuple[Step, ...], edit: Edit) -> list[Any]:
    name = key_field(join(walked))
    if not isinstance(items, list) or name is None:
        raise UnknownPath(f"“{edit.path}” does not name an item of a list.")
    index = next((n for n, item in enumerate(items) if isinstance(item, dict) and item.get(name) == key), None)
    if rest:
        if index is None:
            raise UnknownPath(f"“{edit.path}” cannot be changed: what it belongs to is not there.")
        inside = _changed((*walked, ItemKey(key)), items[index], rest, edit)
        return [*items[:index], inside, *items[index + 1 :]]
    if edit.op == "remove":
        return [item for n, item in enumerate(items) if n != index]
    if edit.op == "order" or not isinstance(edit.value, dict):
        raise UnknownPath(f"The value of “{edit.path}” must be an object.")
    item = {name: key, **edit.value}
    return [*items, item] if index is None else [*items[:index], item, *items[index + 1 :]]


def _ordered(items: Any, edit: Edit) -> list[Any]:
    name = key_field(edit.path)
    if not isinstance(items, list) or name is None or not isinstance(edit.value, list):
        raise UnknownPath(f"“{edit.path}” is not a list that can be put in order.")
    places = {key: place for place, key in enumerate(edit.value) if isinstance(key, str)}

    def place_of(item: Any) -> int:
        key = item.get(name) if isinstance(item, dict) else None
        return places.get(key, len(places)) if isinstance(key, str) else len(places)

    return sorted(items, key=place_of)


def _plain_empty(edit: Edit) -> Any:
    """An emptied input box of a field that may be empty means "not set"."""
    if edit.value == "" and type(None) in getattr(field_of(edit.path).annotation, "__args__", ()):
        return None
    return edit.value
