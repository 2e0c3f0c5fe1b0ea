"""Merges two people's edits of one draft, field by field; the same field changed twice is a conflict, never a guess."""

from dataclasses import dataclass
from typing import Any

from .edits import Edit
from .equality import same
from .paths import MISSING, ItemKey, Step, field_of, join, key_field, part_of

PARTS_AS_ONE = {"library"}
"""Parts that make sense only as a whole: one side wins or there is a conflict."""


@dataclass(frozen=True)
class Conflict:
    """One field that both sides changed to different values; MISSING where an item was removed. Where both put a list
    in different orders, the values are the keys in order and `is_order` is set."""

    path: str
    base: Any
    mine: Any
    theirs: Any
    is_order: bool = False

    def edit_for_mine(self) -> Edit:
        """The edit that puts my side in place of theirs."""
        if self.mine is MISSING:
            return Edit("remove", self.path)
        return Edit("order" if self.is_order else "set", self.path, self.mine)


@dataclass(frozen=True)
class Merge:
    """The merged document (theirs stands at each conflict) and what could not be merged."""

    document: dict[str, Any]
    conflicts: tuple[Conflict, ...]


def merge(*, base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> Merge:
    """Three-way merge of complete configuration documents: each side's own changes against `base` are kept."""
    conflicts: list[Conflict] = []
    merged = _merge((), base, mine, theirs, conflicts)
    return Merge(merged, tuple(conflicts))


def _merge(steps: tuple[Step, ...], base: Any, mine: Any, theirs: Any, conflicts: list[Conflict]) -> Any:
    if same(mine, theirs) or same(mine, base):
        return theirs
    if same(theirs, base):
        return mine
    sides = (base, mine, theirs)
    if key_field(join(steps)) and all(isinstance(side, list) for side in sides):
        return _merge_items(steps, base, mine, theirs, conflicts)
    if _is_part(steps) and all(isinstance(side, dict) for side in sides):
        return {name: _merge((*steps, name), base[name], mine[name], theirs[name], conflicts) for name in theirs}
    conflicts.append(Conflict(join(steps), base, mine, theirs))
    return theirs


def _is_part(steps: tuple[Step, ...]) -> bool:
    if not steps:
        return True
    return steps[-1] not in PARTS_AS_ONE and part_of(field_of(join(steps))) is not None


def _merge_items(
    steps: tuple[Step, ...], base: list[Any], mine: list[Any], theirs: list[Any], conflicts: list[Conflict]
) -> list[Any]:
    key = key_field(join(steps)) or ""
    base_items, my_items, their_items = ({item[key]: item for item in side} for side in (base, mine, theirs))
    items = {}
    for name in {**their_items, **my_items, **base_items}:
        old, my_item, their_item = (side.get(name, MISSING) for side in (base_items, my_items, their_items))
        items[name] = _merge((*steps, ItemKey(name)), old, my_item, their_item, conflicts)
    order = _merged_order(steps, list(base_items), list(my_items), list(their_items), conflicts)
    return [items[name] for name in order if items[name] is not MISSING]


def _merged_order(
    steps: tuple[Step, ...], base: list[str], mine: list[str], theirs: list[str], conflicts: list[Conflict]
) -> list[str]:
    """The order of whoever moved items, else theirs; the other side's additions follow the item they stood behind."""
    everywhere = set(base) & set(mine) & set(theirs)
    base_order, my_order, their_order = ([name for name in side if name in everywhere] for side in (base, mine, theirs))
    i_moved = my_order not in (base_order, their_order)
    if i_moved and their_order != base_order:
        conflicts.append(Conflict(join(steps), base_order, my_order, their_order, is_order=True))
        i_moved = False
    first, second = (mine, theirs) if i_moved else (theirs, mine)
    order = list(first)
    for index, name in enumerate(second):
        if name not in order:
            before = next((other for other in reversed(second[:index]) if other in order), None)
            order.insert(order.index(before) + 1 if before is not None else 0, name)
    return order
