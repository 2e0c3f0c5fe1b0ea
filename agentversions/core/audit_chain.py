"""The hash chain over the audit trail: RFC 8785 and SHA-256, so that anybody can recompute it from an export.

    hash = SHA-256(canonical JSON of {"entry": …, "position": n, "previous": hash of the seal before})

`previous` of the first is 64 zeros. An entry holds its fields by name; what is empty is left out, so that a field that
the trail gains later changes no old hash. Everything comes in as PostgreSQL writes it, as text.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import rfc8785

from .canonical_json import NotCanonicalisable, check

GENESIS = "0" * 64
"""What the first seal follows."""
FRACTION = re.compile(r"\d[.eE]")


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


class Link(NamedTuple):
    """A seal as it is stored."""

    position: int
    entry: int
    hash: str
    previous: str


def hash_of(entry: ChainedEntry, *, position: int, previous: str) -> str:
    """The hash (64 hexadecimal characters) of an entry at its place in the chain."""
    document = {"entry": document_of(entry), "position": position, "previous": previous}
    is_plain = not any(FRACTION.search(text) for text in (entry.before, entry.after) if text)
    return hashlib.sha256(_canonical(document, is_plain=is_plain)).hexdigest()


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


def _canonical(document: Any, *, is_plain: bool) -> bytes:
    """RFC 8785. Without fractions, and without characters beyond U+FFFF (which it sorts in its own way), Python's own
    writer says the same, twenty times as fast."""
    if is_plain:
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if text.isascii() or max(text) <= "\uffff":
            return text.encode()
    return rfc8785.dumps(document)
