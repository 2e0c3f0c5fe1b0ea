"""What a worker keeps in memory, as values: a channel, a compiled route, a token."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.core.phone_numbers import region_of
from channels.core.routes import RoutePlan, read_route
from channels.core.routing import Reason
from channels.core.shares import percent

# What an entry costs beside its texts: the object, its dictionary entry, its key.
_BASE_SIZE = 400


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel: its address (E.164 or a chat key), whether it is on, the digest of its route, and its time zone."""

    address: str
    is_enabled: bool
    route: str
    time_zone: str

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return _BASE_SIZE

    @property
    def region(self) -> str | None:
        """Where the number belongs (`FR`): national forms of callers are read there."""
        return region_of(self.address)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one target comes to at this moment. No `digest`: the agent has no live version."""

    agent: str
    version: int | None
    version_name: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route with every target followed to its configuration; `pieces` are ready JSON members per target."""

    digest: str
    plan: RoutePlan
    answers: tuple[Answer, ...]
    pieces: tuple[bytes, ...] = field(repr=False)
    size: int

    @property
    def agents(self) -> tuple[str, ...]:
        """The slugs whose moves change this value."""
        return self.plan.agents


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token: usable at all (not revoked, its owner active), what for, and until when (seconds since 1970)."""

    is_usable: bool
    scopes: tuple[str, ...]
    expires_at: float | None

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return _BASE_SIZE

    def is_valid(self, now: float) -> bool:
        """Whether the token opens anything at this moment."""
        return self.is_usable and (self.expires_at is None or now < self.expires_at)

    def may_resolve(self, now: float) -> bool:
        """Whether the token opens /resolve at this moment."""
        return self.is_valid(now) and "resolve" in self.scopes


def compile_route(digest: str, body: str, targets: Sequence[Sequence[Any]]) -> RouteFacts:
    """A route from its row: the plan's JSON, and per target (agent, version, version name, configuration digest)."""
    plan = read_route(body)
    answers = tuple(Answer(*target) for target in targets)
    if len(answers) != len(plan.targets):
        raise ValueError(f"Route {digest} has {len(answers)} targets, its plan {len(plan.targets)}.")
    pieces = tuple(_piece(plan, index, answer) for index, answer in enumerate(answers))
    return RouteFacts(digest, plan, answers, pieces, _BASE_SIZE * 2 + 3 * len(body) + sum(map(len, pieces)))


def _piece(plan: RoutePlan, index: int, answer: Answer) -> bytes:
    """The members of an answer that depend on the target alone, without braces."""
    variant = plan.variants[index] if plan.is_test else None
    members = {
        "agent": answer.agent,
        "version": answer.version,
        "version_name": answer.version_name,
        "digest": answer.digest,
        "variant": variant.name if variant else None,
        "reason": Reason.SPLIT if variant else Reason.STATIC,
        "share": float(percent(variant.share)) if variant else 100.0,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()
