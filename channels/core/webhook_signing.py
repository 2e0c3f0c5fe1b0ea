"""Signs what is posted to others as Standard Webhooks 1.0 says (standardwebhooks.com): their libraries check it.

The signed text is `id.timestamp.body`; the signature HMAC-SHA256 in base64, one per secret, so that a secret can be
changed without losing a message.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def headers_of(message: str, body: bytes, *, timestamp: int, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a message; its id stays the same when it is sent again. `timestamp` in seconds since 1970."""
    signed = b".".join((message.encode(), str(timestamp).encode(), body))
    signatures = [base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    """The bytes of a secret: `whsec_` and base64, or any other text as it is."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
