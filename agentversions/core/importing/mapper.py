"""Moves values from a foreign document into ours; what nobody moved is what could not be mapped."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from agentversions.core.configuration import AnalysisField, Edge, KnowledgeBase, Node, Tool, Variable
from agentversions.core.paths import field_of, label_of

Convert = Callable[[Any], Any]
ITEMS: dict[str, tuple[type[BaseModel], str]] = {
    "tools": (Tool, "name"),
    "variables": (Variable, "name"),
    "knowledge_bases": (KnowledgeBase, "id"),
    "call_analysis.fields": (AnalysisField, "name"),
    "workflow.nodes": (Node, "id"),
    "workflow.edges": (Edge, "id"),
}
"""The lists that an import adds to: the model of their items and the field that is their key."""


class Mapper:
    """One document on its way: `rest` shrinks while `document` grows."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.rest: dict[str, Any] = copy.deepcopy(source)
        self.document: dict[str, Any] = {}
        self.warnings: list[str] = []

    def move(self, source: str, target: str, convert: Convert | None = None) -> bool:
        """Move one value, converted, where it fits the schema; otherwise it stays in the rest and a warning says so."""
        value = look_up(self.rest, source)
        if value is None:
            return False
        try:
            wanted = convert(value) if convert else value
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            wanted = None
        if wanted is None or not fits(target, wanted):
            self.warnings.append(f"“{source}” does not fit “{label_of(target)}” and stays under the extensions.")
            return False
        self.put(target, wanted)
        remove(self.rest, source)
        return True

    def put(self, target: str, value: Any) -> None:
        """Set a field of our document."""
        *parents, last = target.split(".")
        container = self.document
        for parent in parents:
            container = container.setdefault(parent, {})
        container[last] = value

    def take(self, source: str, kind: type | tuple[type, ...] = object) -> Any:
        """A value of this type, no longer in the rest; None when there is none."""
        value = look_up(self.rest, source)
        if value is None or not isinstance(value, kind):
            return None
        remove(self.rest, source)
        return value

    def drop(self, source: str, expected: Any) -> None:
        """Remove a value that says nothing beyond the format itself, such as `type: function`."""
        if look_up(self.rest, source) == expected:
            remove(self.rest, source)

    def add(self, target: str, item: dict[str, Any]) -> str:
        """Append an item to one of our lists and give its key. An equal one is not repeated; another one of the same
        key gets a number. Raises ValueError when it does not fit the schema."""
        model, key = ITEMS[target]
        try:
            written = model.model_validate(item).model_dump(mode="json", exclude_unset=True)
        except ValidationError as error:
            raise ValueError(f"“{item.get(key)}” does not fit “{label_of(target)}”.") from error
        *parents, last = target.split(".")
        container = self.document
        for parent in parents:
            container = container.setdefault(parent, {})
        items = container.setdefault(last, [])
        wanted, number = written[key], 2
        while (same := next((known for known in items if known[key] == written[key]), None)) is not None:
            if same == written:
                return str(wanted)
            written[key] = f"{wanted}-{number}"
            number += 1
        items.append(written)
        return str(written[key])

    def keep(self, source: str, leftover: Any) -> None:
        """Put what is left of a value that was taken back into the rest, unless nothing is left."""
        if (left := without_empty(leftover)) is not None:
            *parents, last = source.split(".")
            container = self.rest
            for parent in parents:
                container = container.setdefault(parent, {})
            container[last] = left


@cache
def _adapter(target: str) -> TypeAdapter[Any]:
    field = field_of(target)
    annotation: Any = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation)


def fits(target: str, value: Any) -> bool:
    """Whether a value may stand at a field of our schema (a number is not quietly made of a text)."""
    try:
        _adapter(target).validate_python(value, strict=True)
    except ValidationError:
        return isinstance(value, int) and not isinstance(value, bool) and _fits_as_float(target, value)
    return True


def _fits_as_float(target: str, value: int) -> bool:
    try:
        _adapter(target).validate_python(float(value), strict=True)
    except ValidationError:
        return False
    return True


def look_up(document: Any, path: str) -> Any:
    """The value at a dotted path of plain objects, None when there is none."""
    for step in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(step)
    return document


def remove(document: Any, path: str) -> None:
    """Take the value at a dotted path out of its object."""
    *parents, last = path.split(".")
    for step in parents:
        document = document[step]
    del document[last]


def without_empty(value: Any) -> Any:
    """A value without nulls and empty objects, lists and texts inside it; None when nothing else is left."""
    if isinstance(value, dict):
        kept = {key: left for key, item in value.items() if (left := without_empty(item)) is not None}
        return kept or None
    if isinstance(value, list):
        items = [left for item in value if (left := without_empty(item)) is not None]
        return items or None
    return None if value == "" else value


def paths_of(value: Any, prefix: str = "") -> tuple[str, ...]:
    """The places of all values inside an object, dotted; items with a name stand by it: `tools[lookup].async`."""
    if isinstance(value, dict) and value:
        inner = {f"{prefix}.{key}" if prefix else str(key): item for key, item in value.items()}
        return tuple(path for place, item in inner.items() for path in paths_of(item, place))
    if isinstance(value, list) and all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in value):
        named = [(item["name"], {key: part for key, part in item.items() if key != "name"}) for item in value]
        return tuple(path for name, item in named for path in paths_of(item, f"{prefix}[{name}]"))
    return (prefix,)
