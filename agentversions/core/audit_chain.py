"""The hash chain over the audit trail: RFC 8785 and SHA-256, so that anybody can recompute it from an export.

    hash = SHA-256(canonical JSON of {"entry": …, "position": n, "previous": hash of the seal before})

`previous` of the first is 64 zeros. An entry holds its fields by name; what is empty is left out, so that a field that
the trail gains later changes no old hash. Everything comes in as PostgreSQL writes it, as text.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

import rfc8785
from pydantic_core import from_json, to_json

from .canonical_json import MAX_DEPTH, MAX_INTEGER, NotCanonicalisable, check

GENESIS = "0" * 64
"""What the first seal follows."""
FOUR_BYTES = 0xF0
"""With this byte, or a greater one, begins whatever is beyond U+FFFF."""


class ChainedEntry(NamedTuple):
    """One entry. `at` is UTC to the microsecond (`2026-11-21T10:02:03.000004Z`), `actor` a person's key, `before` and
    `after` JSON texts; None where there is nothing."""

    id: int
    at: str | None
    actor: int | None
    action: str
    subject_kind: str
    subject: str
    reason: str
    before: str | None
    after: str | None
    origin: str
    origin_name: str
    client_address: str | None
    actor_name: str = ""


IN_ORDER = tuple(sorted(ChainedEntry._fields))
_in_order_of_names = itemgetter(*(ChainedEntry._fields.index(name) for name in IN_ORDER))


class Link(NamedTuple):
    """A seal as it is stored."""

    position: int
    entry: int
    hash: str
    previous: str


def hash_of(entry: ChainedEntry, *, position: int, previous: str) -> str:
    """The hash (64 hexadecimal characters) of an entry at its place in the chain."""
    written = _quickly(entry, position, previous)
    if written is None:
        written = rfc8785.dumps({"entry": document_of(entry), "position": position, "previous": previous})
    return hashlib.sha256(written).hexdigest()


def chain(entries: Iterable[ChainedEntry], *, after: Link | None) -> Iterator[Link]:
    """The seals of entries that follow the last one, in order."""
    position, previous = (after.position, after.hash) if after is not None else (0, GENESIS)
    for entry in entries:
        position += 1
        link = Link(position, entry.id, hash_of(entry, position=position, previous=previous), previous)
        yield link
        previous = link.hash


def document_of(entry: ChainedEntry) -> dict[str, Any]:
    """The JSON value that is hashed. JSON that has no exact canonical form (a whole number beyond 2^53, a fraction with
    more digits than a double, more than 64 levels) stands as PostgreSQL's text under `before_text` or `after_text`."""
    found: dict[str, Any] = {}
    for name, value in zip(ChainedEntry._fields, entry, strict=True):
        if value is None or value == "":
            continue
        if name in {"before", "after"}:
            try:
                found[name] = _read(str(value))
            except (ValueError, RecursionError):
                found[f"{name}_text"] = value
        else:
            found[name] = value
    return found


def _read(text: str) -> Any:
    value = json.loads(text, parse_float=_exact)
    check(value)
    return value


def _exact(text: str) -> float:
    number = float(text)
    if Decimal(repr(number)) != Decimal(text):
        raise NotCanonicalisable(text)
    return number


class _Unusual(Exception):
    """A value whose canonical form takes more than the quick reader and writer."""


def _quickly(entry: ChainedEntry, position: int, previous: str) -> bytes | None:
    """RFC 8785 as pydantic's reader and writer give it, many times as fast: they agree wherever keys are in order and
    there is no fraction, great number, NUL or half a character, and nothing beyond U+FFFF (which RFC 8785 sorts in its
    own way). None where that is not so."""
    try:
        fields = {
            name: _usual(value) if name in {"before", "after"} else value
            for name, value in zip(IN_ORDER, _in_order_of_names(entry), strict=True)
            if value is not None and value != ""
        }
        written = to_json({"entry": fields, "position": position, "previous": previous})
    except (_Unusual, ValueError, RecursionError):
        return None
    return written if written.isascii() or max(written) < FOUR_BYTES else None


def _usual(text: str) -> Any:
    if text.count("{") + text.count("[") > MAX_DEPTH or "\\u" in text:
        raise _Unusual
    return _ordered(from_json(text))


def _ordered(value: Any) -> Any:
    """The same with the keys of every object in order."""
    kind = type(value)
    if kind is str or kind is bool or value is None or (kind is int and abs(value) <= MAX_INTEGER):
        return value
    if kind is dict:
        return {name: _ordered(value[name]) for name in sorted(value)}
    if kind is list:
        return [_ordered(each) for each in value]
    raise _Unusual
