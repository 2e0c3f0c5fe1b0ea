"""Lays a configuration out for editing: the groups, lists and controls of each tab, found in the schema alone.

A field that the schema gains appears in its tab by itself; no page knows a field by name.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .configuration import TABS, AgentConfiguration, Tab
from .paths import ItemKey, Step, UnknownPath, field_of, join, key_field, part_of, split

ControlKind = Literal["line", "text", "number", "switch", "choice", "lines", "json"]
EDITED_AS_JSON = frozenset({"workflow"})
"""Parts that people edit as one JSON document, because their items point at one another."""


@dataclass(frozen=True)
class Control:
    """One input: where its value goes, how it is typed, what it shows (`text`), and what the schema says about it."""

    path: str
    label: str
    kind: ControlKind
    text: str
    unit: str = ""
    hint: str = ""
    options: tuple[str, ...] = ()
    max_length: int | None = None
    is_long: bool = False
    is_read_only: bool = False

    @property
    def id(self) -> str:
        """An HTML id made from the path; different paths give different ids."""
        return "f-" + re.sub(r"[^A-Za-z0-9_.]", lambda match: f"-{ord(match[0]):x}-", self.path)

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The options with their words."""
        return tuple((option, option.replace("_", " ")) for option in self.options)

    @property
    def is_prompt(self) -> bool:
        """Whether a model reads the text: shown in fixed width, with its length in tokens."""
        return self.is_long and self.path.endswith("prompt")

    @property
    def rows(self) -> int:
        """How high the input stands before any script: all of its lines, within reason."""
        lines = self.text.count("\n") + 1 + (len(self.text) // 90 if self.kind == "text" else 0)
        return min(max(lines, 12 if self.path == "system_prompt" else 8 if self.kind == "json" else 1), 200)


@dataclass(frozen=True)
class Group:
    """Controls that belong together; the tab's own ones have no label."""

    label: str
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class Item:
    """An item of a list with its controls. `library` is the entry and revision it was picked from, if any."""

    path: str
    key: str
    subtitle: str
    controls: tuple[Control, ...]
    library: dict[str, Any] | None


@dataclass(frozen=True)
class ItemList:
    """A list whose items are known by a key (a name, an id)."""

    path: str
    label: str
    key: str
    key_label: str
    items: tuple[Item, ...]


Block = Group | ItemList


def lay_out(tab: Tab, document: dict[str, Any]) -> tuple[Block, ...]:
    """The blocks of a tab, in the order of the schema."""
    blocks: list[Block] = []
    for name in tab.fields:
        field = AgentConfiguration.model_fields[name]
        if name in EDITED_AS_JSON or part_of(field) is None:
            control = _control((name,), field, document[name])
            last = blocks[-1] if blocks else None
            if isinstance(last, Group) and not last.label:
                blocks[-1] = Group("", (*last.controls, control))
            else:
                blocks.append(Group("", (control,)))
        elif key_field(name):
            blocks.append(_item_list((name,), field, document[name]))
        else:
            blocks += _part_blocks(name, field, document[name])
    return tuple(blocks)


def controls_in(blocks: tuple[Block, ...]) -> Iterator[Control]:
    """The controls of these blocks, those of their items included."""
    for block in blocks:
        for part in block.items if isinstance(block, ItemList) else (block,):
            yield from part.controls


def controls_of(document: dict[str, Any]) -> dict[str, Control]:
    """Every control of every tab by its path."""
    return {control.path: control for tab in TABS for control in controls_in(lay_out(tab, document))}


def control_path_of(path: str) -> str:
    """The path of the control that shows what stands at a path, which may lie deeper than any control."""
    walked: tuple[Step, ...] = ()
    try:
        for step in split(path):
            if walked and not isinstance(step, ItemKey) and kind_of(field_of(join(walked))) == "json":
                inner = part_of(field_of(join(walked)))
                if inner is None or join(walked) in EDITED_AS_JSON:
                    break
            walked += (step,)
        field_of(join(walked))
    except UnknownPath:
        return path
    return join(walked)


def kind_of(field: FieldInfo, value: Any = "") -> ControlKind:
    """How a field is typed. One-line texts that hold line breaks get a larger box, or the breaks would be lost."""
    types = _types_in(field.annotation)
    if part_of(field) is not None or _extra(field, "kind") == "json":
        return "json"
    if get_origin(field.annotation) is tuple:
        return "lines"
    if any(get_origin(kind) is Literal for kind in types):
        return "choice"
    if bool in types:
        return "switch"
    if int in types or float in types:
        return "number"
    is_line = _limit(field, MaxLen, "max_length") is not None and "\n" not in str(value)
    return "line" if is_line and _extra(field, "kind") != "text" else "text"


def _part_blocks(name: str, field: FieldInfo, value: dict[str, Any]) -> Iterator[Block]:
    model = part_of(field)
    assert model is not None
    lists = {inner for inner in model.model_fields if key_field(f"{name}.{inner}")}
    controls = tuple(_controls((name,), model, value, without=lists))
    if controls:
        yield Group(field.title or "", controls)
    for inner in model.model_fields:
        if inner in lists:
            yield _item_list((name, inner), model.model_fields[inner], value[inner])


def _item_list(steps: tuple[Step, ...], field: FieldInfo, items: list[dict[str, Any]]) -> ItemList:
    model, key = part_of(field), key_field(join(steps))
    assert model is not None
    assert key is not None
    laid_out = tuple(
        Item(
            path=join((*steps, ItemKey(item[key]))),
            key=item[key],
            subtitle=_subtitle(item, key),
            controls=tuple(_controls((*steps, ItemKey(item[key])), model, item, without={key, "library"})),
            library=item.get("library"),
        )
        for item in items
    )
    return ItemList(join(steps), field.title or "", key, model.model_fields[key].title or key, laid_out)


def _controls(
    steps: tuple[Step, ...], model: type[BaseModel], value: dict[str, Any], *, without: set[str]
) -> Iterator[Control]:
    for name, field in model.model_fields.items():
        inner = part_of(field)
        if name in without:
            continue
        if inner is not None:
            yield from _controls((*steps, name), inner, value[name], without=set())
        else:
            yield _control((*steps, name), field, value[name])


def _control(steps: tuple[Step, ...], field: FieldInfo, value: Any) -> Control:
    kind = kind_of(field, value)
    literal = next((kind for kind in _types_in(field.annotation) if get_origin(kind) is Literal), None)
    return Control(
        path=join(steps),
        label=field.title or str(steps[-1]),
        kind=kind,
        text=text_of(kind, value),
        unit=_extra(field, "unit"),
        hint=" ".join(words for words in (field.description or "", _limits_in_words(field)) if words),
        options=get_args(literal) if literal is not None else (),
        max_length=_limit(field, MaxLen, "max_length"),
        is_long=_extra(field, "kind") == "text",
        is_read_only=bool(_extra(field, "readOnly")),
    )


def text_of(kind: ControlKind, value: Any) -> str:
    """A value as its control shows it for typing."""
    if kind == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    if kind == "lines":
        return "\n".join(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _subtitle(item: dict[str, Any], key: str) -> str:
    """What tells one closed card from another: the first words of what it says about itself."""
    words = next((item[name] for name in ("name", "description", "instruction", "default") if item.get(name)), "")
    text = " ".join(str(words).split()) if words != item[key] else " ".join(str(item.get("description", "")).split())
    return text if len(text) <= 100 else f"{text[:99]}…"


def _types_in(annotation: Any) -> tuple[Any, ...]:
    """The types of a field: of a union each, of an annotated type the bare one."""
    if hasattr(annotation, "__metadata__"):
        return _types_in(annotation.__origin__)
    arguments = get_args(annotation)
    if arguments and get_origin(annotation) is not Literal:
        return tuple(inner for argument in arguments for inner in _types_in(argument))
    return (annotation,)


def _extra(field: FieldInfo, name: str) -> str:
    extra = field.json_schema_extra
    return str(extra.get(name, "")) if isinstance(extra, dict) else ""


def _limit(field: FieldInfo, kind: type, name: str) -> Any:
    return next((getattr(rule, name) for rule in field.metadata if isinstance(rule, kind)), None)


def _limits_in_words(field: FieldInfo) -> str:
    low, above, high = _limit(field, Ge, "ge"), _limit(field, Gt, "gt"), _limit(field, Le, "le")
    if low is not None and high is not None:
        return f"{low:,} to {high:,}."
    if above is not None and high is not None:
        return f"More than {above:,}, at most {high:,}."
    return ""
