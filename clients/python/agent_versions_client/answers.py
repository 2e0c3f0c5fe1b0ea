"""What a call gets, and what can go wrong."""

from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The server said no, in words: a wrong token, a wrong question."""


class NotFound(Refused):
    """Nothing answers the number. Never replaced by another configuration."""


class Unreachable(Exception):
    """The server cannot be reached, nothing is known from before, and there is no default."""


class BadAnswer(Exception):
    """A configuration whose bytes are not those of its digest."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A decision. `version` is None for a draft and for the coded default, which has no digest either.

    `configuration` is what to run: the version of `digest`, or what flags made of it (`overlay`: their variants by key)
    with `effective_digest`. `flags` are plain values for your own code, `rollout` the caller's arm of a rollout.
    """

    agent: str | None
    version: int | None
    digest: str | None
    variant: str | None
    reason: str
    configuration: dict[str, Any]
    resolution: str | None = None
    is_stale: bool = False
    effective_digest: str | None = None
    rollout: dict[str, Any] | None = None
    flags: dict[str, Any] = field(default_factory=dict)
    overlay: dict[str, str] = field(default_factory=dict)
