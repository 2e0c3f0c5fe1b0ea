"""The resolution token: the whole decision, signed, so that a call record cannot be attributed wrongly.

`r1.<key id>.<payload>.<signature>`: base64url without padding; HMAC-SHA256 over everything before the last dot.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

from .rollout_steps import Assignment

VERSION = "r1"
LIFETIME = 35 * 24 * 3600
"""Seconds. Call records may come late: a month, and some days."""
SKEW = 3600
"""Seconds by which the clocks of two machines may differ."""


class BadResolution(ValueError):
    """A resolution that this installation did not sign, or that has expired; the message says which."""


def sign(payload: Mapping[str, Any], *, key_id: str, key: bytes) -> str:
    """The token of a decision. `payload` must have `exp`, seconds since 1970."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    signed = f"{VERSION}.{key_id}.{_encode(text)}"
    return f"{signed}.{_encode(hmac.digest(key, signed.encode(), 'sha256'))}"


def rollout_member(number: int, assignment: Assignment) -> dict[str, Any]:
    """The member `o` of a payload: which rollout, which arm, the canary's share in force, the unit's bucket (both of
    100,000), and whether the call is analysed."""
    return {
        "i": number,
        "m": assignment.arm,
        "s": assignment.share,
        "b": assignment.bucket,
        "y": assignment.is_analysed,
    }


def verify(token: str, *, keys: Mapping[str, bytes], now: float) -> dict[str, Any]:
    """The decision of a token, by whichever of our keys signed it. Raises BadResolution."""
    parts = token.split(".")
    if len(parts) != 4 or parts[0] != VERSION or not token.isascii():
        raise BadResolution("This is no resolution. Send back the text that /resolve gave, unchanged.")
    key = keys.get(parts[1])
    signed, _, signature = token.rpartition(".")
    if key is None or not hmac.compare_digest(_encode(hmac.digest(key, signed.encode(), "sha256")), signature):
        raise BadResolution("This resolution was not signed here. Send back the text that /resolve gave, unchanged.")
    payload: dict[str, Any] = json.loads(_decode(parts[2]))
    if payload["exp"] + SKEW < now:
        raise BadResolution("This resolution has expired: call records are expected within 35 days of the call.")
    return payload


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
