"""The structured difference of two configurations: what changed, where, from what to what, and how to say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from .configuration import TAB_OF_FIELD, TABS, AgentConfiguration, Tab
from .paths import MISSING, ItemKey, Step, field_of, join, key_field, label_of, part_of, shown_as, split, unit_of
from .reading import write_document
from .wording import say_change, say_item_change

Kind = Literal["changed", "added", "removed", "reordered"]


@dataclass(frozen=True)
class Change:
    """One difference. A plain field has `before` and `after`; an item of a list has its changed fields as `children`;
    `reordered` (of a list) has the keys in both orders. `shown_as` is value, text, json or item."""

    path: str
    kind: Kind
    before: Any
    after: Any
    shown_as: str
    children: tuple["Change", ...] = ()

    @cached_property
    def label(self) -> str:
        """The place in words: `Temperature`, `Tool transfer_to_human`."""
        return label_of(self.path)

    @cached_property
    def field_label(self) -> str:
        """The field's own label without what it belongs to: `Timeout`."""
        return field_of(self.path).title or self.path

    @cached_property
    def unit(self) -> str:
        """The field's unit, empty where it has none."""
        return unit_of(self.path)

    @property
    def tab(self) -> Tab:
        """The editor's tab that holds the field."""
        return TAB_OF_FIELD[str(split(self.path)[0])]

    @cached_property
    def summary(self) -> str:
        """What happened in a few words: `700 → 900 ms`, `+41 −27 words`, `2 fields: timeout, address`."""
        if self.shown_as == "item" and self.children:
            return say_item_change([(child.field_label, child.summary) for child in self.children])
        return say_change(self.kind, self.shown_as, self.before, self.after, self.unit)


@dataclass(frozen=True)
class Comparison:
    """All differences from base to head, in the order of the schema."""

    changes: tuple[Change, ...]
    settings_total: int

    @property
    def is_identical(self) -> bool:
        """Whether nothing differs."""
        return not self.changes

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
        return "; ".join(f"{change.label} {change.summary}" for change in self.changes) + ("." if self.changes else "")


def compare(base: AgentConfiguration, head: AgentConfiguration) -> Comparison:
    """Every difference from base to head. Defaults that one body lacks are filled in on reading, so they never differ."""
    before, after = write_document(base), write_document(head)
    return Comparison(tuple(_differences((), before, after)), settings_total=count_settings(after))


def _differences(steps: tuple[Step, ...], before: Any, after: Any) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    path = join(steps)
    if key_field(path):
        yield from _list_differences(steps, before, after)
    elif not steps or (part_of(field_of(path)) and isinstance(before, dict) and isinstance(after, dict)):
        for name in after:
            yield from _differences((*steps, name), before[name], after[name])
    elif before != after:
        yield Change(path, "changed", before, after, shown_as(path))


def _list_differences(steps: tuple[Step, ...], before: list[Any], after: list[Any]) -> Iterator[Change]:
    key = key_field(join(steps)) or ""
    old, new = {item[key]: item for item in before}, {item[key]: item for item in after}
    for name in [*old, *(name for name in new if name not in old)]:
        path = join((*steps, ItemKey(name)))
        if name not in new:
            yield Change(path, "removed", old[name], MISSING, "item")
        elif name not in old:
            yield Change(path, "added", MISSING, new[name], "item")
        elif old[name] != new[name]:
            children = tuple(_item_differences((*steps, ItemKey(name)), old[name], new[name]))
            yield Change(path, "changed", old[name], new[name], "item", children)
    stayed_before, stayed_after = [name for name in old if name in new], [name for name in new if name in old]
    if stayed_before != stayed_after:
        yield Change(join(steps), "reordered", stayed_before, stayed_after, "order")


def _item_differences(steps: tuple[Step, ...], before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in after:
        path = join((*steps, name))
        if isinstance(before[name], dict) and isinstance(after[name], dict) and part_of(field_of(path)):
            yield from _item_differences((*steps, name), before[name], after[name])
        elif before[name] != after[name]:
            yield Change(path, "changed", before[name], after[name], shown_as(path))


def count_settings(document: dict[str, Any], steps: tuple[Step, ...] = ()) -> int:
    """How many settings a configuration has: plain fields, and each item of a list as one."""
    total = 0
    for name, value in document.items():
        path = join((*steps, name))
        if key_field(path):
            total += len(value)
        elif isinstance(value, dict) and part_of(field_of(path)):
            total += count_settings(value, (*steps, name))
        else:
            total += 1
    return total
