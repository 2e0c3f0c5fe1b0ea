"""Merges two people's edits of one draft, field by field; the same field changed twice is a conflict, never a guess."""

from dataclasses import dataclass
from typing import Any

from .paths import MISSING, ItemKey, Step, field_of, join, key_field, part_of

PARTS_AS_ONE = {"library"}
"""Parts that make sense only as a whole: one side wins or there is a conflict."""


@dataclass(frozen=True)
class Conflict:
    """One field that both sides changed to different values; MISSING where an item was removed."""

    path: str
    base: Any
    mine: Any
    theirs: Any


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
    if mine == theirs or mine == base:
        return theirs
    if theirs == base:
        return mine
    sides = (base, mine, theirs)
    if key_field(join(steps)) and all(isinstance(side, list) for side in sides):
        return _merge_items(steps, base, mine, theirs, conflicts)
    if _is_part(steps) and all(isinstance(side, dict) for side in sides):
        names = dict.fromkeys([*theirs, *mine])
        return {
            name: _merge((*steps, name), base.get(name, MISSING), mine.get(name), theirs.get(name), conflicts)
            for name in names
        }
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
    bases, mines, theirss = ({item[key]: item for item in side} for side in (base, mine, theirs))
    result = []
    for name in _merged_order(list(bases), list(mines), list(theirss)):
        item = _merge(
            (*steps, ItemKey(name)),
            bases.get(name, MISSING),
            mines.get(name, MISSING),
            theirss.get(name, MISSING),
            conflicts,
        )
        if item is not MISSING:
            result.append(item)
    return result


def _merged_order(base: list[str], mine: list[str], theirs: list[str]) -> list[str]:
    """My order when I moved items, else theirs; the other side's additions follow the item they stood behind."""
    kept = [name for name in base if name in mine]
    i_reordered = [name for name in mine if name in base] != kept
    first, second = (mine, theirs) if i_reordered else (theirs, mine)
    order = list(first)
    for index, name in enumerate(second):
        if name not in order:
            before = next((other for other in reversed(second[:index]) if other in order), None)
            order.insert(order.index(before) + 1 if before is not None else 0, name)
    return order
