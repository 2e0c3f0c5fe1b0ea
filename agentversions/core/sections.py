"""A comparison as the sections of a page: long texts as tables of lines, settings as rows, items with their fields."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .changes import Change, Comparison
from .configuration import TABS, Tab
from .paths import MISSING
from .text_diff import diff_text
from .text_rows import Run
from .text_tables import Look, TextTable, one_line, text_table
from .wording import say_value

LONG_VALUE = 24
"""Characters from which the changed words inside a value are marked."""

KeptLines = Mapping[str, Collection[int]]
"""The head's lines (from 1) that are never folded, by the path of their text."""


@dataclass(frozen=True)
class Cell:
    """One side of a setting: its runs, or nothing where it is not set or not there."""

    runs: tuple[Run, ...]
    is_empty: bool


@dataclass(frozen=True)
class Setting:
    """A row of the settings table."""

    path: str
    anchor: str
    label: str
    kind: str
    before: Cell
    after: Cell


@dataclass(frozen=True)
class Block:
    """A long text or JSON with its table of lines."""

    path: str
    anchor: str
    label: str
    kind: str
    is_json: bool
    table: TextTable


@dataclass(frozen=True)
class Section:
    """A card of the page: a text, the settings of a tab (without a path), or an item of a list. `order` holds a list's
    keys in both orders when only their order changed."""

    path: str
    anchor: str
    title: str
    note: str
    kind: str
    tab: Tab
    settings: tuple[Setting, ...] = ()
    blocks: tuple[Block, ...] = ()
    order: tuple[tuple[str, ...], tuple[str, ...]] | None = None


def sections_of(
    comparison: Comparison, *, look: Look, is_everything: bool, kept: KeptLines | None = None
) -> tuple[Section, ...]:
    """The sections of a page in the order of the editor's tabs; only what changed, or everything."""
    entries = comparison.settings if is_everything else comparison.changes
    by_tab = ((tab, [entry for entry in entries if entry.tab == tab]) for tab in TABS)
    page = _Page(look, is_everything, kept or {})
    return tuple(section for tab, found in by_tab for section in _sections_of_tab(tab, found, page))


@dataclass(frozen=True)
class _Page:
    """What holds for every section of one page."""

    look: Look
    is_everything: bool
    kept: KeptLines


def _sections_of_tab(tab: Tab, entries: list[Change], page: _Page) -> Iterator[Section]:
    """Texts first, then the plain settings together, then items and lists."""
    values = [entry for entry in entries if entry.shown_as == "value"]
    yield from (_section(entry, page) for entry in entries if entry.shown_as == "text")
    if values:
        yield _settings_section(tab, values)
    yield from (_section(entry, page) for entry in entries if entry.shown_as not in ("text", "value"))


def _settings_section(tab: Tab, entries: list[Change]) -> Section:
    kind = "same" if all(entry.kind == "same" for entry in entries) else "changed"
    rows = tuple(_setting(entry, entry.label) for entry in entries)
    return Section("", f"settings-{tab.key}", tab.label, "", kind, tab, settings=rows)


def _section(change: Change, page: _Page) -> Section:
    if change.shown_as == "order":
        order = (tuple(change.before), tuple(change.after))
        return Section(change.path, change.anchor, change.label, "", change.kind, change.tab, order=order)
    if change.shown_as != "item":
        blocks = (_block(change, page, ""),)
        return Section(change.path, change.anchor, change.label, "", change.kind, change.tab, blocks=blocks)
    fields = change.settings if page.is_everything else change.details
    return Section(
        change.path,
        change.anchor,
        change.label,
        _other_name(change),
        change.kind,
        change.tab,
        settings=tuple(_setting(detail, _label_inside(change, detail)) for detail in _of_kind(fields, "value")),
        blocks=tuple(
            _block(detail, page, _label_inside(change, detail)) for detail in _of_kind(fields, "text", "json")
        ),
    )


def _of_kind(changes: Iterable[Change], *kinds: str) -> Iterator[Change]:
    return (change for change in changes if change.shown_as in kinds)


def _label_inside(item: Change, field: Change) -> str:
    """The field's label without the item's: `Retrieval: Passages`."""
    return field.label.removeprefix(f"{item.label}: ")


def _other_name(change: Change) -> str:
    """What people call an item whose key is an id: a knowledge base's name, a node's label."""
    item = change.after if change.before is MISSING else change.before
    name = item.get("label") or (item.get("name") if "id" in item else "")
    return name if isinstance(name, str) else ""


def _block(change: Change, page: _Page, label: str) -> Block:
    kept = page.kept.get(change.path, ())
    table = text_table(change.text_diff, anchor=change.anchor, look=page.look, kept=kept)
    return Block(change.path, change.anchor, label, change.kind, change.shown_as == "json", table)


def _setting(change: Change, label: str) -> Setting:
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str) and change.kind == "changed" and _is_long(before, after):
        old, new = one_line(diff_text(before, after))
        return Setting(change.path, change.anchor, label, change.kind, Cell(old, not before), Cell(new, not after))
    cells = (_cell(value, change.unit) for value in (before, after))
    return Setting(change.path, change.anchor, label, change.kind, *cells)


def _is_long(before: str, after: str) -> bool:
    return bool(before and after) and max(len(before), len(after)) >= LONG_VALUE


def _cell(value: Any, unit: str) -> Cell:
    if value is MISSING:
        return Cell((), is_empty=True)
    words = say_value(value, unit)
    return Cell((Run(words, "same"),), is_empty=words == "not set")
