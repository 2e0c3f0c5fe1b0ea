"""A number's plan, decided in this process: no network per call."""

import hashlib
import secrets
from bisect import bisect_right
from typing import Any

from .answers import NotFound, Resolved

BUCKETS = 100_000


class Plan:
    """Buckets and what each comes to. The rule is the server's: see “Buckets” in its API documentation."""

    def __init__(self, document: dict[str, Any], configurations: dict[str, dict[str, Any]]) -> None:
        self.address: str = document["address"]
        self.route: str = document["route"]
        self._is_enabled: bool = document["is_enabled"]
        self._salt = f"{document['salt']}:".encode()
        ranges = sorted(
            (start, index) for index, variant in enumerate(document["variants"]) for start, _ in variant["ranges"]
        )
        self._starts = [start for start, _ in ranges]
        self._owners = [index for _, index in ranges]
        self._is_split = len(document["variants"]) > 1
        self._answers = [_answer(variant, configurations) for variant in document["variants"]]

    def resolve(self, caller: str | None = None, call_id: str | None = None) -> Resolved:
        """The decision for a caller in E.164, or for the call when the number is withheld. Raises NotFound."""
        if not self._is_enabled:
            raise NotFound(f"{self.address} is switched off.")
        index = 0
        if self._is_split:
            unit = caller or call_id or secrets.token_hex(8)
            digest = hashlib.sha256(self._salt + unit.encode("utf-8", "surrogatepass")).digest()
            bucket = int.from_bytes(digest[:8], "big") * BUCKETS >> 64
            index = self._owners[bisect_right(self._starts, bucket) - 1]
        answer = self._answers[index]
        if answer is None:
            raise NotFound(f"{self.address}: its agent has no live version.")
        return answer


def _answer(variant: dict[str, Any], configurations: dict[str, dict[str, Any]]) -> Resolved | None:
    digest = variant["digest"]
    if digest is None:
        return None
    return Resolved(
        agent=variant["agent"],
        version=variant["version"],
        digest=digest,
        variant=variant["name"],
        reason="SPLIT" if variant["name"] is not None else "STATIC",
        configuration=configurations[digest],
        resolution=variant["resolution"],
    )
