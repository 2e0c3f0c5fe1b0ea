"""Caller numbers: shown masked, stored encrypted, found by a keyed hash; the keys are outside the database."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

SHOWN = 4
"""Digits at the end that everybody may read."""


def masked(caller: str) -> str:
    """`•••• 5678`: enough to recognise a caller who is on the line, not enough to call them."""
    end = caller[-SHOWN:] if len(caller) > 2 * SHOWN else ""
    return f"•••• {end}".strip()


class CallerKeys:
    """What turns callers into hashes and secrets, from one secret of the installation."""

    def __init__(self, secret: bytes) -> None:
        self._hash_key = hashlib.sha256(b"caller hash" + secret).digest()
        self._cipher = Fernet(_fernet_key(secret))

    def hash_of(self, caller: str) -> bytes:
        """16 bytes by which the same caller is found again; without the key nobody can try all numbers."""
        return hmac.digest(self._hash_key, caller.encode("utf-8", "replace"), "sha256")[:16]

    def encrypt(self, caller: str) -> bytes:
        """The caller, readable only with the key."""
        return self._cipher.encrypt(caller.encode("utf-8", "replace"))

    def decrypt(self, secret: bytes) -> str | None:
        """The caller again; None when the key is another one."""
        try:
            return self._cipher.decrypt(secret).decode()
        except InvalidToken:
            return None


def _fernet_key(secret: bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"caller cipher" + secret).digest())
