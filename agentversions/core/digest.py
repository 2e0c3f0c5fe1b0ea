"""The name of a configuration: the SHA-256 of its canonical JSON."""

import hashlib
import re

DIGEST_PATTERN = re.compile(r"[0-9a-f]{64}")


def digest_of(body: str) -> str:
    """Hex SHA-256 (64 characters) of the UTF-8 bytes of a canonical JSON text; PostgreSQL's CHECK computes the same."""
    return hashlib.sha256(body.encode()).hexdigest()
