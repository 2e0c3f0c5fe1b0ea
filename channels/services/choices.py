"""What can be chosen in a route's form: agents, and what of an agent may answer."""

from dataclasses import dataclass

from agentversions.models import Agent
from agentversions.services.deployments import live_version

MOST_VERSIONS = 200
"""Versions offered in a dropdown, newest first; an older one stays there while it is chosen."""


@dataclass(frozen=True)
class Choice:
    """One line of the version dropdown; `value` is `draft`, `live` or a number."""

    value: str
    words: str
    is_possible: bool = True


def agents() -> list[Agent]:
    """The agents that may answer, by name."""
    return list(Agent.objects.active().order_by("name", "slug").only("slug", "name", "folder"))


def answers_of(slug: str, chosen: str = "") -> list[Choice]:
    """What of an agent may answer: Draft, Live, then its versions, newest first. Empty for an unknown agent."""
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        return []
    live = live_version(agent)
    choices = [
        Choice("draft", "Draft · follows every edit"),
        Choice("live", f"Live · now {live} {live.name}" if live else "Live · none yet", live is not None),
    ]
    versions = list(agent.versions.newest_first().only("number", "name", "agent")[:MOST_VERSIONS])
    if chosen.isdecimal() and int(chosen) not in {version.number for version in versions}:
        versions += agent.versions.filter(number=int(chosen)).only("number", "name", "agent")
    return [*choices, *(Choice(str(version.number), f"{version} · {version.name}") for version in versions)]
