"""Names a place in a configuration: `model.temperature`, `tools[transfer_to_human].timeout_s`, `workflow.nodes[start]`.

Items of a list are named by their key (a tool's name), never by their position: a path means the same after a reorder.
"""

import re
from dataclasses import dataclass
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .configuration import KEYED_LISTS, AgentConfiguration

STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[((?:[^\]\\]|\\[\]\\])+)\]")


@dataclass(frozen=True)
class ItemKey:
    """The step into the item of a list that has this key."""

    key: str


Step = str | ItemKey


class UnknownPath(ValueError):
    """A path that does not name a place in the schema; the message says which."""


def split(path: str) -> tuple[Step, ...]:
    """The steps of a path. Raises UnknownPath when it is not written like one."""
    steps: list[Step] = []
    text, position = f".{path}" if path else "", 0
    while position < len(text):
        match = STEP.match(text, position)
        if match is None:
            raise _unknown(path)
        name, key = match.groups()
        steps.append(name if name is not None else ItemKey(re.sub(r"\\([\]\\])", r"\1", key)))
        position = match.end()
    return tuple(steps)


def _unknown(path: str) -> UnknownPath:
    return UnknownPath(f"“{path[:200]}” does not name a field of a configuration.")


def join(steps: tuple[Step, ...]) -> str:
    """The path of these steps; `split` undoes it."""
    text = ""
    for step in steps:
        if isinstance(step, ItemKey):
            text += "[" + re.sub(r"([\]\\])", r"\\\1", step.key) + "]"
        else:
            text += f".{step}" if text else step
    return text


def key_field(list_path: str) -> str | None:
    """The field that is the key of the items of a list, None where the path is no such list."""
    parent, _, field = list_path.rpartition(".")
    return KEYED_LISTS.get((parent, field))


def part_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model inside a field: of a part, an optional part, or the items of a list; None for a plain value."""
    return _model_in(field.annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    if origin is tuple or origin is UnionType or str(origin) == "typing.Union":
        for argument in get_args(annotation):
            if (model := _model_in(argument)) is not None:
                return model
    return None


def field_of(path: str) -> FieldInfo:
    """The schema's field at a path; for an item, the field of its list. Raises UnknownPath."""
    model: type[BaseModel] | None = AgentConfiguration
    field: FieldInfo | None = None
    walked: tuple[Step, ...] = ()
    for step in split(path):
        is_list = key_field(join(walked)) is not None
        if isinstance(step, ItemKey) != is_list:
            raise _unknown(path)
        if isinstance(step, str):
            if model is None or step not in model.model_fields:
                raise _unknown(path)
            field = model.model_fields[step]
            model = part_of(field)
        walked += (step,)
    if field is None:
        raise UnknownPath("The path is empty.")
    return field


def label_of(path: str) -> str:
    """The path in words: `Tool transfer_to_human: Timeout`; empty when the path is empty or unknown."""
    words: list[str] = []
    walked: tuple[Step, ...] = ()
    try:
        steps = split(path)
        for step in steps:
            walked += (step,)
            title = field_of(join(walked)).title or ""
            if isinstance(step, ItemKey):
                words[-1] = f"{title} {step.key}"
            elif not words or words[-1] != title:
                words.append(title)
    except UnknownPath:
        return ""
    if len(words) > 1 and isinstance(steps[0], str) and len(steps) > 1 and isinstance(steps[1], str):
        words = words[1:]  # "Model: Temperature" says no more than "Temperature".
    return ": ".join(words)


def unit_of(path: str) -> str:
    """The unit of the field at a path, empty where it has none."""
    extra = field_of(path).json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def shown_as(path: str) -> str:
    """How the value at a path is shown: `value`, `text` (long) or `json`; a part that came or went whole is JSON."""
    field = field_of(path)
    extra = field.json_schema_extra
    kind = str(extra.get("kind", "value")) if isinstance(extra, dict) else "value"
    return "json" if kind == "value" and part_of(field) else kind


MISSING: Any = type("Missing", (), {"__repr__": lambda _: "MISSING", "__bool__": lambda _: False})()
"""Stands for "there is nothing at this path"."""


def value_at(document: dict[str, Any], path: str) -> Any:
    """The value at a path of a configuration's document, or MISSING."""
    value: Any = document
    walked: tuple[Step, ...] = ()
    for step in split(path):
        if isinstance(step, ItemKey):
            key = key_field(join(walked))
            items = value if isinstance(value, list) else []
            value = next((item for item in items if isinstance(item, dict) and item.get(key) == step.key), MISSING)
        else:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING:
            return MISSING
        walked += (step,)
    return value
