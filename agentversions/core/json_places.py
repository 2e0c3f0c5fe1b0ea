"""Finds the line of a JSON text on which a value stands, so that an error about the value can point at it."""

import re
from collections.abc import Iterator
from typing import Any

from .paths import ItemKey, Step

SYMBOL = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
LINE_IN_MESSAGE = re.compile(r"^Line (\d+), column \d+: ")
Location = tuple[str | int, ...]


def line_of_message(message: str) -> int | None:
    """The line that the strict reader's own message names."""
    match = LINE_IN_MESSAGE.match(message)
    return int(match[1]) if match else None


def line_of(text: str, location: Location) -> int:
    """The line (from 1) of the value at a location of a valid JSON text; of what holds it when it is not there."""
    best, line = -1, 1
    for place, offset in _places(text):
        depth = len(place)
        if depth > best and place == location[:depth]:
            best, line = depth, text.count("\n", 0, offset) + 1
    return line


def location_of(document: Any, steps: tuple[Step, ...]) -> Location:
    """The steps of a path as keys and positions; an item that has no such key is taken by its position."""
    location: Location = ()
    value = document
    for step in steps:
        if isinstance(step, ItemKey):
            items = value if isinstance(value, list) else []
            found = (index for index, item in enumerate(items) if _has_key(item, step.key))
            index = next(found, int(step.key) if step.key.isdecimal() and len(step.key) < 6 else len(items))
            location += (index,)
            value = items[index] if index < len(items) else None
        else:
            location += (step,)
            value = value.get(step) if isinstance(value, dict) else None
    return location


def _has_key(item: Any, key: str) -> bool:
    return isinstance(item, dict) and key in (item.get("name"), item.get("id"))


def _places(text: str) -> Iterator[tuple[Location, int]]:
    """Every value of a valid JSON text with its location and offset."""
    stack: list[str | int] = []
    is_object: list[bool] = []
    expects_key = False
    for match in SYMBOL.finditer(text):
        symbol = match[0]
        if symbol == ":":
            expects_key = False
        elif symbol == ",":
            expects_key = is_object[-1]
            if not is_object[-1]:
                stack[-1] = int(stack[-1]) + 1
        elif symbol in "]}":
            stack.pop()
            is_object.pop()
            expects_key = False
        elif expects_key:
            stack[-1] = symbol[1:-1]
        else:
            yield tuple(stack), match.start()
            if symbol in "[{":
                stack.append(0)
                is_object.append(symbol == "{")
                expects_key = symbol == "{"
