"""Canonical JSON (RFC 8785), and a strict reader that refuses what has no canonical form."""

import contextlib
import json
import math
from typing import Any

import rfc8785
from pydantic_core import to_json

MAX_BYTES = 2_000_000
MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
PLAIN_DIGITS_END = 1e21
"""RFC 8785 writes whole floats below this in plain digits, so they come back as integers."""
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


class NotCanonicalisable(ValueError):
    """A text or a value that cannot be stored as canonical JSON; the message says what to put right."""


def canonical(value: Any) -> str:
    """The RFC 8785 text of a JSON value. Raises NotCanonicalisable with a sentence when it has none.

    The standard library's writer is many times faster than a full RFC 8785 one and agrees with it on plain values."""
    try:
        text = _write(_plain(value, 1))
    except _NotPlain:
        check(value)
        try:
            text = rfc8785.dumps(value).decode()
        except (rfc8785.CanonicalizationError, RecursionError) as error:
            raise NotCanonicalisable(f"This cannot be stored as JSON: {error}.") from error
    check_size(text)
    return text


class _NotPlain(Exception):
    """A value that the slow way has to look at: it refuses it by name, or writes it."""


def _plain(value: Any, depth: int, max_depth: int = MAX_DEPTH) -> Any:
    """The value with whole floats as integers, when nothing in it is odd. Raises _NotPlain."""
    kind = type(value)
    if kind is str:
        if "\x00" in value or not (value.isascii() or _is_text(value)):
            raise _NotPlain
        return value
    if kind is dict:
        if depth > max_depth:
            raise _NotPlain
        for key in value:
            # Other keys are sorted by their UTF-16 code units.
            if type(key) is not str or not key.isascii() or "\x00" in key:
                raise _NotPlain
        return {key: _plain(child, depth + 1, max_depth) for key, child in value.items()}
    if kind is list or kind is tuple:
        if depth > max_depth:
            raise _NotPlain
        return [_plain(child, depth + 1, max_depth) for child in value]
    if kind is bool or value is None:
        return value
    if kind is int and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    if kind is float and -MAX_INTEGER <= value <= MAX_INTEGER:
        if value.is_integer():
            return int(value)
        if "e" not in repr(value):
            return value
    raise _NotPlain


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_canonical(text: str) -> bool:
    """Whether a JSON text is its own canonical form. Raises NotCanonicalisable when it cannot be read.

    pydantic's writer is fifty times faster than a full RFC 8785 one and agrees with it where keys are in order and no
    float is whole, very small or very large; other texts, and those with characters beyond U+FFFF, go the slow way.
    """
    if (text.isascii() or max(text) <= "\uffff") and "\\u0000" not in text:
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(text)
            if _is_written_alike(value):
                return to_json(value) == text.encode()
    return canonical(parse(text)) == text


def check_size(text: str, limit: int = MAX_BYTES) -> None:
    """Refuse a document over 2 MB (its UTF-8 bytes), or over another limit."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise NotCanonicalisable(
            f"The configuration has {size / 1e6:.1f} MB; the limit is {limit / 1e6:.0f} MB. "
            "Move long texts into a knowledge base."
        )


def parse(text: str | bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Read JSON strictly: duplicate keys, NaN, NUL, lone surrogates, depth and big integers are refused by name.

    The limits are those of one configuration; a document that holds several of them has its own."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotCanonicalisable("The text is not UTF-8. Save the file as UTF-8 and try again.") from error
    check_size(text, max_bytes)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotCanonicalisable(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise NotCanonicalisable(_too_deep()) from error
    except ValueError as error:
        if isinstance(error, NotCanonicalisable):
            raise
        raise NotCanonicalisable("A number in this JSON is too long. Write it as text.") from error
    check(value, max_depth=max_depth)
    return value


def check(value: Any, *, max_depth: int = MAX_DEPTH) -> None:
    """Refuse what RFC 8785 cannot carry, or PostgreSQL cannot store; walks without recursion."""
    with contextlib.suppress(_NotPlain):
        _plain(value, 1, max_depth)
        return
    stack: list[tuple[Any, int, str]] = [(value, 1, "")]
    while stack:
        item, depth, path = stack.pop()
        if isinstance(item, str):
            _check_string(item, path)
        elif isinstance(item, bool) or item is None:
            continue
        elif isinstance(item, int):
            if abs(item) > MAX_INTEGER:
                raise NotCanonicalisable(f"The whole number at {_at(path)} is beyond 2^53. Write it as text.")
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise NotCanonicalisable(f"The number at {_at(path)} is not a finite number.")
            if item.is_integer() and MAX_INTEGER < abs(item) < PLAIN_DIGITS_END:
                raise NotCanonicalisable(f"The whole number at {_at(path)} is beyond 2^53. Write it as text.")
        elif isinstance(item, dict | list | tuple):
            if depth > max_depth:
                raise NotCanonicalisable(_too_deep())
            _push_children(stack, item, depth + 1, path)
        else:
            raise NotCanonicalisable(f"The value at {_at(path)} is of a type that JSON does not have.")


def _is_written_alike(value: Any) -> bool:
    """Whether keys are in order and every number is written as RFC 8785 does (not `1.0` for `1`)."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if list(item) != sorted(item):
                return False
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, float):
            if not math.isfinite(item) or item.is_integer() or "e" in repr(item):
                return False
        elif isinstance(item, int) and abs(item) > MAX_INTEGER:
            return False
    return True


def _push_children(stack: list[tuple[Any, int, str]], item: Any, depth: int, path: str) -> None:
    if isinstance(item, dict):
        for key, child in item.items():
            if not isinstance(key, str):
                raise NotCanonicalisable(f"The key {key!r} at {_at(path)} is not text.")
            _check_string(key, path)
            stack.append((child, depth, f"{path}.{key}" if path else key))
    else:
        stack.extend((child, depth, f"{path}[{index}]") for index, child in enumerate(item))


def _check_string(text: str, path: str) -> None:
    if "\x00" in text:
        raise NotCanonicalisable(f"The text at {_at(path)} holds a NUL character. Remove it.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonicalisable(f"The text at {_at(path)} holds half a character (a lone surrogate).") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise NotCanonicalisable(f"The key “{key[:80]}” stands twice in one object. Keep one of them.")
        result[key] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise NotCanonicalisable(f"{name} is not a JSON number.")


def _too_deep() -> str:
    return f"The JSON is nested more than {MAX_DEPTH} levels deep. Flatten it."


def _at(path: str) -> str:
    return f"“{path}”" if path else "the top"
