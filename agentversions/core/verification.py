"""Checks one stored configuration: that its digest is right, that its text is canonical, and that it can be read."""

from .canonical_json import NotCanonicalisable, is_canonical
from .digest import digest_of
from .reading import read_body


def damage_of(digest: str, body: str) -> str | None:
    """What is wrong with a stored configuration, in words; None when it is sound."""
    actual = digest_of(body)
    if actual != digest:
        return f"its text has the SHA-256 {actual}"
    try:
        if not is_canonical(body):
            return "its text is not canonical JSON (RFC 8785)"
    except NotCanonicalisable as error:
        return f"its text cannot be read: {error}"
    try:
        read_body(body)
    except ValueError as error:
        return f"it does not fit the schema: {str(error).splitlines()[0]}"
    return None
