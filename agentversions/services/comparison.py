"""Finds the two sides of a comparison (a version, the draft, live, or a former draft state) and compares them."""

import re
from dataclasses import dataclass

from agentversions.core.changes import Comparison, compare
from agentversions.core.digest import DIGEST_PATTERN
from agentversions.models import Agent, AgentVersion, Configuration

from .deployments import live_version, require_live_version
from .errors import UnknownVersion
from .publishing import get_version, latest_version

OFFERED_VERSIONS = 50
"""Versions that the choice of a side lists; older ones are named by their number."""


@dataclass(frozen=True)
class Side:
    """One side: its word in the address (`7`, `draft`, `live`, a digest), its title, configuration and version."""

    address: str
    title: str
    configuration: Configuration
    version: AgentVersion | None

    @property
    def short_title(self) -> str:
        """The title for a column: `V7`, `Draft`."""
        return f"V{self.version.number}" if self.version else self.title


@dataclass(frozen=True)
class ComparedSides:
    """Both sides with their difference."""

    base: Side
    head: Side
    comparison: Comparison

    @property
    def restorable(self) -> AgentVersion | None:
        """The version that a reader of this comparison most likely wants back: the base, else the head."""
        return self.base.version or self.head.version


@dataclass(frozen=True)
class SideChoices:
    """What the choice of a side offers, as (word in the address, title); `has_older`: more versions than are listed."""

    options: tuple[tuple[str, str], ...]
    has_older: bool


def find_side(agent: Agent, address: str) -> Side:
    """The side that a word names. Raises UnknownVersion, or NotLive for `live` without a live version."""
    if address == "draft":
        return Side(address, "Draft", agent.draft, None)
    if address == "live":
        live = require_live_version(agent)
        return Side(address, f"Live · V{live.number} {live.name}", live.configuration, live)
    if re.fullmatch(r"[0-9]{1,9}", address, re.ASCII):
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


def offer_sides(agent: Agent, *chosen: Side) -> SideChoices:
    """The draft, live and the newest versions; what is chosen already is always among them."""
    newest = list(agent.versions.newest_first().values_list("number", "name")[: OFFERED_VERSIONS + 1])
    options = {"draft": "Draft"}
    if (live := live_version(agent)) is not None:
        options["live"] = f"Live · V{live.number} {live.name}"
    options.update({str(number): f"V{number} · {name}" for number, name in newest[:OFFERED_VERSIONS]})
    options.update({side.address: side.title for side in chosen if side.address not in options})
    return SideChoices(tuple(options.items()), len(newest) > OFFERED_VERSIONS)


def usual_sides(agent: Agent) -> tuple[str, str]:
    """What to compare when nobody chose: the latest version with the draft."""
    number = agent.versions.newest_first().values_list("number", flat=True).first()
    return (str(number) if number else "draft"), "draft"
