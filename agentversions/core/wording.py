"""Says differences and values in the words a product manager uses."""

import json
from collections.abc import Sequence
from typing import Any, Protocol

from .equality import same
from .text_diff import TextDiff

LONGEST_SENTENCE = 80


class Said(Protocol):
    """A difference that is said in words."""

    @property
    def kind(self) -> str: ...
    @property
    def shown_as(self) -> str: ...
    @property
    def before(self) -> Any: ...
    @property
    def after(self) -> Any: ...
    @property
    def field_label(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def text_diff(self) -> TextDiff: ...


def say_value(value: Any, unit: str = "") -> str:
    """A value for a table or a sentence: `on`, `700 ms`, `not set`, `yes, no`, short JSON."""
    if value is None or value in ("", [], {}):
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, list) and all(isinstance(item, str) and item.strip() and "," not in item for item in value):
        value = ", ".join(value)
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value != value.strip():
        value = f"“{value}”"
    return f"{value} {unit}" if unit else str(value)


def say_change(change: Said) -> str:
    """One difference of a field in a few words."""
    if change.kind != "changed":
        return {"same": "unchanged", "reordered": "put in another order"}.get(change.kind, change.kind)
    if change.shown_as == "text":
        return say_text_change(change.before, change.after, change.text_diff)
    if change.shown_as == "json":
        return _say_json_change(change.before, change.after)
    old, new = say_value(change.before), say_value(change.after)
    if len(old) + len(new) > LONGEST_SENTENCE or "\n" in old + new:
        return "rewritten"
    if new == "not set":
        return f"{say_value(change.before, change.unit)} → {new}"
    return f"{old} → {say_value(change.after, change.unit)}"


def say_item_change(children: Sequence[Said]) -> str:
    """The changed fields of an item: one in full, two or three by name, more counted."""
    if len(children) == 1:
        return f"{_inside_sentence(children[0].field_label)} {children[0].summary}"
    names = ", ".join(_inside_sentence(child.field_label) for child in children[:3])
    return f"{len(children)} fields: {names}{' …' if len(children) > 3 else ''}"


def say_text_change(before: str, after: str, diff: TextDiff) -> str:
    """What happened to a text in a few words: `+41 −27 words`, `emptied`, `white space only`."""
    if before.split() == after.split():
        return "white space only"
    if not before.strip():
        return f"written, {_count(len(after.split()), 'word')}"
    if not after.strip():
        return "emptied"
    parts = [f"+{diff.words_added}" if diff.words_added else "", f"−{diff.words_removed}" if diff.words_removed else ""]
    words = " ".join(part for part in parts if part)
    moved = sum(move.count for move in diff.moves)
    noun = "word" if diff.words_added + diff.words_removed == 1 else "words"
    said = [f"{words} {noun}" if words else "", f"{_count(moved, 'line')} moved" if moved else ""]
    return ", ".join(part for part in said if part) or "white space only"


def _inside_sentence(label: str) -> str:
    """A label with a small first letter, unless it starts with an abbreviation (TTS voice)."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _say_json_change(before: Any, after: Any) -> str:
    if not before:
        return "written"
    if not after:
        return "emptied"
    if not isinstance(before, dict) or not isinstance(after, dict):
        return "changed"
    names = [name for name in {**before, **after} if name not in before or not same(before[name], after.get(name))]
    shown = ", ".join(name[:40] for name in names[:3])
    return f"{shown}{' …' if len(names) > 3 else ''}"
