"""Signatures of deliveries, compared in constant time; the clock is passed in."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class NotGenuine(ValueError):
    """A delivery that its platform did not sign, or signed too long ago; the message is a sentence."""


@dataclass(frozen=True)
class Delivery:
    """What was posted: headers by their names in lower case, the body as it came, the address with its query."""

    headers: Mapping[str, str]
    body: bytes
    address: str = ""
    query: Mapping[str, str] | None = None

    def header(self, name: str) -> str:
        """A header by its name in lower case; empty when it was not sent."""
        return self.headers.get(name, "").strip()


def is_one_of(given: str, secrets: Sequence[str]) -> bool:
    """Whether a text is one of the secrets. Every secret is compared, so that time tells nothing."""
    same = [hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()) for secret in secrets]
    return bool(given) and any(same)


def is_signed(given: str, signed: bytes, secrets: Sequence[str]) -> bool:
    """Whether a text is the hex HMAC-SHA256 of these bytes by one of the secrets."""
    return is_one_of(given.lower(), [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets])


def refuse_stale(seconds: float | None, now: float, *, tolerance: float) -> None:
    """Raise NotGenuine for a signature from another time; both in seconds since 1970."""
    if seconds is None or not abs(now - seconds) <= tolerance:
        raise NotGenuine(
            f"The signature is not of the last {tolerance / 60:.0f} minutes. Check this server's clock; send it anew."
        )


def parts_of(header: str) -> dict[str, str]:
    """`t=1,v0=ab` as a mapping."""
    pairs = (part.partition("=") for part in header.split(","))
    return {name.strip(): value.strip() for name, _, value in pairs}
