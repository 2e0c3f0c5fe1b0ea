"""A number's plan, decided in this process: no network per call, except where a call must be known to the server."""

import hashlib
import secrets
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Protocol

from .answers import NotFound, Resolved, Unreachable

BUCKETS = 100_000


class Server(Protocol):
    """What a plan asks where it may not decide: the client that downloaded it."""

    def resolve(self, number: str, *, caller: str | None = None, call_id: str | None = None) -> Resolved:
        """What the server says, or what was last known. Raises Unreachable."""

    def ask_server(self, number: str, *, caller: str | None = None, call_id: str | None = None) -> Resolved:
        """What the server says now. Raises Unreachable."""


@dataclass(frozen=True, slots=True)
class _Rollout:
    """A rollout's salt and share (buckets of 100,000), and what its canary comes to."""

    salt: bytes
    share: int
    canary: Resolved


class Plan:
    """Buckets and what each comes to. The rule is the server's: see “Buckets” in its API documentation.

    The server is asked for a call (`call_id`) that a rollout splits, so that it is counted; when it cannot be reached,
    the same decision is made here. It is always asked where flags look at the call or change the configuration.
    """

    def __init__(
        self, document: dict[str, Any], configurations: dict[str, dict[str, Any]], server: Server | None = None
    ) -> None:
        self.address: str = document["address"]
        self.route: str = document["route"]
        self._server = server
        self._is_enabled: bool = document["is_enabled"]
        self._salt = f"{document['salt']}:".encode()
        variants = document["variants"]
        ranges = sorted((start, index) for index, variant in enumerate(variants) for start, _ in variant["ranges"])
        self._starts = [start for start, _ in ranges]
        self._owners = [index for _, index in ranges]
        self._is_split = len(variants) > 1
        self._answers = [_answer(variant, configurations) for variant in variants]
        self._rollouts = [_rollout(variant, configurations) for variant in variants]
        self._ask = [bool(variant.get("asks_server")) for variant in variants]
        self._is_plain = not any(self._ask) and not any(self._rollouts)

    def resolve(self, caller: str | None = None, call_id: str | None = None) -> Resolved:
        """The decision for a caller in E.164, or for the call when the number is withheld. Raises NotFound, and where
        the server must be asked what `Client.resolve` raises."""
        if not self._is_enabled:
            raise NotFound(f"{self.address} is switched off.")
        index, unit = 0, ""
        if self._is_split or not self._is_plain:
            unit = caller or call_id or secrets.token_hex(8)
        if self._is_split:
            index = self._owners[bisect_right(self._starts, _bucket(self._salt, unit)) - 1]
        answer = self._answers[index]
        if answer is None:
            raise NotFound(f"{self.address}: its agent has no live version.")
        return answer if self._is_plain else self._refined(index, answer, unit, caller, call_id)

    def _refined(self, index: int, answer: Resolved, unit: str, caller: str | None, call_id: str | None) -> Resolved:
        rollout = self._rollouts[index]
        if self._ask[index]:
            if self._server is None:
                raise Unreachable("Flags look at this call: ask the server, or get the plan from a client.")
            return self._server.resolve(self.address, caller=caller, call_id=call_id)
        if rollout is None:
            return answer
        if call_id and self._server is not None:
            try:
                return self._server.ask_server(self.address, caller=caller, call_id=call_id)
            except Unreachable:
                pass
        return rollout.canary if _bucket(rollout.salt, unit) < rollout.share else answer


def _bucket(salt: bytes, unit: str) -> int:
    digest = hashlib.sha256(salt + unit.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * BUCKETS >> 64


def _answer(variant: dict[str, Any], configurations: dict[str, dict[str, Any]]) -> Resolved | None:
    if variant["digest"] is None:
        return None
    return _resolved(variant, variant, "stable", configurations)


def _rollout(variant: dict[str, Any], configurations: dict[str, dict[str, Any]]) -> _Rollout | None:
    rollout = variant.get("rollout")
    if rollout is None:
        return None
    canary = _resolved(variant, rollout, "canary", configurations)
    return _Rollout(f"{rollout['salt']}:".encode(), rollout["share"], canary)


def _resolved(
    variant: dict[str, Any], arm: dict[str, Any], name: str, configurations: dict[str, dict[str, Any]]
) -> Resolved:
    rollout = variant.get("rollout")
    return Resolved(
        agent=variant["agent"],
        version=arm["version"],
        digest=arm["digest"],
        variant=variant["name"],
        reason="SPLIT" if variant["name"] is not None or rollout else "STATIC",
        configuration=configurations[arm["digest"]],
        resolution=arm["resolution"],
        effective_digest=arm["digest"],
        rollout={"arm": name, "share": rollout["share"] * 100 / BUCKETS} if rollout else None,
        flags=variant.get("flags", {}),
    )
