"""Says differences and values in the words a product manager uses."""

import json
from typing import Any

from .text_diff import diff_text


def say_value(value: Any, unit: str = "") -> str:
    """A value for a table or a sentence: `on`, `700 ms`, `not set`, short JSON."""
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return f"{value} {unit}" if unit else str(value)


def say_change(kind: str, shown_as: str, before: Any, after: Any, unit: str) -> str:
    """One difference in a few words."""
    if kind in ("added", "removed"):
        return kind
    if kind == "reordered":
        return "put in another order"
    if shown_as == "text":
        return _say_text_change(before, after)
    if shown_as == "json":
        return _say_json_change(before, after)
    old, new = say_value(before), say_value(after, unit)
    if len(old) + len(new) > 80:
        return "rewritten"
    return f"{old} → {new}"


def say_item_change(children: list[tuple[str, str]]) -> str:
    """The changed fields of an item: one in full, two by name, more counted."""
    if len(children) == 1:
        label, summary = children[0]
        return f"{_inside_sentence(label)} {summary}"
    names = ", ".join(_inside_sentence(label) for label, _ in children[:3])
    return f"{len(children)} fields: {names}{' …' if len(children) > 3 else ''}"


def _inside_sentence(label: str) -> str:
    """A label with a small first letter, unless it starts with an abbreviation (TTS voice)."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _say_text_change(before: str, after: str) -> str:
    if not before.strip():
        return f"written, {len(after.split())} words" if after.strip() else "white space only"
    if not after.strip():
        return "emptied"
    diff = diff_text(before, after)
    if before.split() == after.split():
        return "white space only"
    parts = [f"+{diff.words_added}" if diff.words_added else "", f"−{diff.words_removed}" if diff.words_removed else ""]
    return " ".join(part for part in parts if part) + " words"


def _say_json_change(before: Any, after: Any) -> str:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return "changed"
    names = [name for name in [*before, *(n for n in after if n not in before)] if before.get(name) != after.get(name)]
    shown = ", ".join(names[:3])
    return f"{shown}{' …' if len(names) > 3 else ''}" if names else "changed"
