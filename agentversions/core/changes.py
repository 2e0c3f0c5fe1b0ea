"""The structured difference of two configurations: what changed, where, from what to what, and how to say it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel

from .configuration import KEYED_LISTS, TAB_OF_FIELD, TABS, AgentConfiguration, Tab
from .equality import same
from .json_text import pretty
from .paths import MISSING, ItemKey, Step, field_of, join, label_of, part_of, shown_as, split, unit_of
from .reading import write_document
from .text_diff import TextDiff, diff_text
from .wording import say_change, say_item_change

Kind = Literal["same", "changed", "added", "removed", "reordered"]
Document = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One difference. A plain field has `before` and `after`; an item of a list has its changed fields as `children`;
    `reordered` (of a list) has the keys in both orders. `shown_as` is value, text, json, item or order. An item that
    was added or removed has MISSING on the other side. `same` occurs only where everything is shown."""

    path: str
    kind: Kind
    before: Any
    after: Any
    shown_as: str
    children: tuple["Change", ...] = ()

    @cached_property
    def label(self) -> str:
        """The place in words: `Temperature`, `Tool transfer_to_human`; `Tools` for a new order."""
        return f"{label_of(self.path)}s" if self.shown_as == "order" else label_of(self.path)

    @cached_property
    def field_label(self) -> str:
        """The field's own label without what it belongs to: `Timeout`."""
        return field_of(self.path).title or self.path

    @cached_property
    def unit(self) -> str:
        """The field's unit, empty where it has none or where the label says it already (Passages)."""
        unit = unit_of(self.path)
        return "" if unit == self.field_label.lower() else unit

    @property
    def tab(self) -> Tab:
        """The editor's tab that holds the field."""
        return TAB_OF_FIELD[str(split(self.path)[0])]

    @cached_property
    def summary(self) -> str:
        """What happened in a few words: `700 → 900 ms`, `+41 −27 words`, `2 fields: timeout, address`."""
        if self.kind == "changed" and self.shown_as == "item":
            return say_item_change(self.children)
        return say_change(self)

    @cached_property
    def text_diff(self) -> TextDiff:
        """The difference line by line and word by word; JSON is compared as people read it."""
        return diff_text(*(_as_text(side, self.shown_as) for side in (self.before, self.after)))

    @property
    def anchor(self) -> str:
        """The place on the compare page: the path with nothing but the signs that an id may have, each path another."""
        return "at-" + re.sub(r"[^A-Za-z0-9_.-]", lambda found: f":{ord(found[0]):x}:", self.path)

    @cached_property
    def details(self) -> tuple["Change", ...]:
        """The fields of an item that a page shows: those that changed, or what an added or removed item holds."""
        if self.kind == "changed" or self.shown_as != "item":
            return self.children
        return tuple(_fields_of_item(self))

    @cached_property
    def settings(self) -> tuple["Change", ...]:
        """The fields of an item where everything is shown: of a changed one also those that are the same."""
        if self.kind != "changed" or self.shown_as != "item":
            return self.details
        model = part_of(field_of(self.path)) or BaseModel
        return tuple(_differences(split(self.path), model, self.before, self.after, keep_same=True))


@dataclass(frozen=True)
class Comparison:
    """All differences from base to head, in the order of the schema, with both documents."""

    changes: tuple[Change, ...]
    before: Document
    after: Document

    @property
    def is_identical(self) -> bool:
        """Whether nothing differs."""
        return not self.changes

    @cached_property
    def settings(self) -> tuple[Change, ...]:
        """Every setting, also those that are the same, in the order of the schema."""
        return tuple(_differences((), AgentConfiguration, self.before, self.after, keep_same=True))

    @cached_property
    def settings_total(self) -> int:
        """How many settings the two have together: plain fields, each item of a list as one, each new order as one."""
        return len(self.settings)

    @cached_property
    def groups(self) -> tuple[tuple[Tab, tuple[Change, ...]], ...]:
        """The changes by the editor's tabs, in the tabs' order, empty tabs left out."""
        grouped = ((tab, tuple(change for change in self.changes if change.tab == tab)) for tab in TABS)
        return tuple((tab, changes) for tab, changes in grouped if changes)

    @property
    def unchanged_tabs(self) -> tuple[Tab, ...]:
        """The tabs in which nothing differs."""
        changed = {tab.key for tab, _ in self.groups}
        return tuple(tab for tab in TABS if tab.key not in changed)

    @property
    def changed_paths(self) -> tuple[str, ...]:
        """The path of every difference, of items and of the fields inside them."""
        return tuple(change.path for parent in self.changes for change in (parent, *parent.children))

    def in_words(self) -> str:
        """The whole difference as a sentence or two, for a suggested description."""
        return "; ".join(_say(change) for change in self.changes) + ("." if self.changes else "")


def compare(base: AgentConfiguration, head: AgentConfiguration) -> Comparison:
    """Every difference from base to head. Reading fills in defaults that a body lacks, so they never differ."""
    before, after = write_document(base), write_document(head)
    return Comparison(tuple(_differences((), AgentConfiguration, before, after, keep_same=False)), before, after)


def _as_text(value: Any, shown_as: str) -> str:
    if value is MISSING or (value is None and shown_as == "json"):
        return ""
    return pretty(value) if shown_as == "json" else str(value)


def _say(change: Change) -> str:
    between = ": " if change.shown_as == "item" and change.kind == "changed" else " "
    return f"{change.label}{between}{change.summary}"


def _differences(
    steps: tuple[Step, ...], model: type[BaseModel], before: Document, after: Document, *, keep_same: bool
) -> Iterator[Change]:
    """The differences of two parts; items are matched by key, parts are walked into, the rest is compared whole."""
    for name, field in model.model_fields.items():
        old, new, place = before[name], after[name], (*steps, name)
        if not keep_same and same(old, new):
            continue
        part = part_of(field)
        key = KEYED_LISTS.get((join(steps), name))
        if key:
            yield from _list_differences(place, key, old, new, keep_same=keep_same)
        elif part and isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(place, part, old, new, keep_same=keep_same)
        else:
            path = join(place)
            yield Change(path, "same" if same(old, new) else "changed", old, new, shown_as(path))


def _list_differences(
    steps: tuple[Step, ...], key: str, before: list[Document], after: list[Document], *, keep_same: bool
) -> Iterator[Change]:
    old, new = {item[key]: item for item in before}, {item[key]: item for item in after}
    for name in [*old, *(name for name in new if name not in old)]:
        place = (*steps, ItemKey(name))
        path = join(place)
        if name not in new:
            yield Change(path, "removed", old[name], MISSING, "item")
        elif name not in old:
            yield Change(path, "added", MISSING, new[name], "item")
        elif not same(old[name], new[name]):
            model = part_of(field_of(path)) or BaseModel
            children = tuple(_differences(place, model, old[name], new[name], keep_same=False))
            yield Change(path, "changed", old[name], new[name], "item", children)
        elif keep_same:
            yield Change(path, "same", old[name], new[name], "item")
    stayed_before, stayed_after = [name for name in old if name in new], [name for name in new if name in old]
    if stayed_before != stayed_after:
        yield Change(join(steps), "reordered", stayed_before, stayed_after, "order")


def _fields_of_item(item: Change) -> Iterator[Change]:
    """What an item holds beside its key, field by field; what stands at its default is left out."""
    *parents, _ = split(item.path)
    key = KEYED_LISTS[(join(tuple(parents[:-1])), str(parents[-1]))]
    model = part_of(field_of(item.path)) or BaseModel
    document = item.before if item.after is MISSING else item.after
    for field in _fields(split(item.path), model, document, item.kind):
        if field.path != join((*split(item.path), key)):
            yield field


def _fields(steps: tuple[Step, ...], model: type[BaseModel], document: Document, kind: Kind) -> Iterator[Change]:
    for name, field in model.model_fields.items():
        value, place, part = document[name], (*steps, name), part_of(field)
        if part and isinstance(value, dict):
            yield from _fields(place, part, value, kind)
        elif field.is_required() or value != _default_of(model, name):
            path = join(place)
            before, after = (MISSING if kind == "added" else value), (MISSING if kind == "removed" else value)
            yield Change(path, kind, before, after, shown_as(path))


def _default_of(model: type[BaseModel], name: str) -> Any:
    default = model.model_fields[name].get_default(call_default_factory=True)
    return list(default) if isinstance(default, tuple) else default
