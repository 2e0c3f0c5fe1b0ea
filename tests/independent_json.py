"""RFC 8785 written a second time, from the standard's text, so that no digest is checked by the code that made it."""

import hashlib
from decimal import Decimal
from typing import Any

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(value: Any) -> str:
    """The canonical text: keys by UTF-16 code units, numbers as ECMAScript writes them, the shortest escapes."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, str):
        return '"' + "".join(ESCAPES.get(c, f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(write(item) for item in value) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{write(key)}:{write(value[key])}" for key in keys) + "}"


def number(value: float) -> str:
    """ECMAScript's Number::toString (section 6.1.6.1.20), from the shortest digits that read back the same."""
    if value == 0:
        return "0"
    _sign, digits, exponent = Decimal(repr(abs(value))).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + int(exponent)
    minus = "-" if value < 0 else ""
    if len(text) <= point <= 21:
        return minus + text + "0" * (point - len(text))
    if 0 < point <= 21:
        return minus + text[:point] + "." + text[point:]
    if -6 < point <= 0:
        return minus + "0." + "0" * -point + text
    tail = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return minus + text[0] + (f".{text[1:]}" if len(text) > 1 else "") + tail


def digest(value: Any) -> str:
    """SHA-256 of the canonical text."""
    return hashlib.sha256(write(value).encode()).hexdigest()
