"""What a git host posts: whether it is genuine (`X-Hub-Signature-256`), and which branch was pushed to."""

import hashlib
import hmac
from collections.abc import Sequence

from agentversions.core.canonical_json import parse

MAX_BYTES = 12_000_000
"""Of one delivery; a push of more is found by the look of every minute."""


def is_genuine(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether the header's `sha256=<hex>` is the body's HMAC under one of the secrets, compared in constant time."""
    given = signature.strip().lower().encode("utf-8", "replace")
    # Every secret is tried: the time says nothing about which one fits.
    fits = 0
    for secret in filter(None, secrets):
        expected = f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}".encode()
        fits |= hmac.compare_digest(expected, given)
    return bool(fits)


def pushed_branch(body: bytes) -> str:
    """The branch of a push event, empty for a tag or another ref. Raises NotCanonicalisable for what is no JSON."""
    document = parse(body, max_bytes=MAX_BYTES)
    ref = document.get("ref") if isinstance(document, dict) else None
    return ref.removeprefix("refs/heads/") if isinstance(ref, str) and ref.startswith("refs/heads/") else ""
