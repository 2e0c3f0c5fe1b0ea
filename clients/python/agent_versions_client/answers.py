"""What a call gets, and what can go wrong."""

from dataclasses import dataclass
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
    """A decision. `version` is None for a draft and for the coded default, which has no digest either."""

    agent: str | None
    version: int | None
    digest: str | None
    variant: str | None
    reason: str
    configuration: dict[str, Any]
    resolution: str | None = None
    is_stale: bool = False
