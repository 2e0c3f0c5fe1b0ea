"""Finds the two sides of a comparison (a version, the draft, live, or a former draft state) and compares them."""

import re
from dataclasses import dataclass

from agentversions.core.changes import Comparison, compare
from agentversions.core.digest import DIGEST_PATTERN
from agentversions.models import Agent, AgentVersion, Configuration

from .deployments import require_live_version
from .errors import UnknownVersion
from .publishing import get_version, latest_version


@dataclass(frozen=True)
class Side:
    """One side: the word in the address (`7`, `draft`, `live`, or a digest), a title, the configuration, the version."""

    address: str
    title: str
    configuration: Configuration
    version: AgentVersion | None


@dataclass(frozen=True)
class ComparedSides:
    """Both sides with their difference."""

    base: Side
    head: Side
    comparison: Comparison


def find_side(agent: Agent, address: str) -> Side:
    """The side that a word names. Raises UnknownVersion, or NotLive for `live` without a live version."""
    if address == "draft":
        return Side(address, "Draft", agent.draft, None)
    if address == "live":
        live = require_live_version(agent)
        return Side(address, f"Live · V{live.number} {live.name}", live.configuration, live)
    if re.fullmatch(r"[0-9]{1,9}", address):
        version = get_version(agent, int(address))
        return Side(address, f"V{version.number} · {version.name}", version.configuration, version)
    if DIGEST_PATTERN.fullmatch(address) and agent.history.filter(draft_id=address).exists():
        state = Configuration.objects.filter(digest=address).first()
        if state is not None:
            return Side(address, f"Draft state {address[:8]}", state, None)
    raise UnknownVersion(f"“{agent.name}” has no version “{address[:80]}”. Use a number, draft or live.")


def compare_sides(*, agent: Agent, base: str, head: str) -> ComparedSides:
    """Both sides found and compared."""
    left, right = find_side(agent, base), find_side(agent, head)
    return ComparedSides(left, right, compare(left.configuration.load(), right.configuration.load()))


def changes_since_latest(agent: Agent) -> tuple[AgentVersion | None, Comparison | None]:
    """The latest version and what the draft changed since; (None, None) before the first version."""
    latest = latest_version(agent)
    if latest is None:
        return None, None
    return latest, compare(latest.configuration.load(), agent.draft.load())
