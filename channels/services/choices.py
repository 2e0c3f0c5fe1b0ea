"""What can be chosen in a route's form: agents, and what of an agent may answer."""

from dataclasses import dataclass

from agentversions.models import Agent, AgentVersion
from agentversions.services.deployments import live_version

MOST_VERSIONS = 200
"""Versions offered in a dropdown, newest first; an older one stays there while it is chosen."""


@dataclass(frozen=True)
class Choice:
    """One line of the version dropdown; `value` is `draft`, `live` or `<agent>/<number>`.

    A version names its agent, so that one chosen from another agent's list is never taken for this agent's.
    """

    value: str
    words: str
    is_chosen: bool = False


def agents() -> list[Agent]:
    """The agents that may answer, by name."""
    return list(Agent.objects.active().order_by("name", "slug").only("slug", "name", "folder"))


def answers_of(slug: str, chosen: str = "") -> list[Choice]:
    """What of an agent may answer: Draft, Live, then its versions, newest first. Empty for an unknown agent.

    When what is chosen is not among them, the first line asks to choose: nothing is chosen silently.
    """
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        return []
    live, (follow, number) = live_version(agent), read_choice(slug, chosen)
    choices = [
        Choice("draft", "Draft · follows every edit", follow == "draft"),
        Choice("live", f"Live · now {live} {live.name}" if live else "Live · none yet", follow == "live"),
    ]
    choices += [
        Choice(f"{slug}/{version.number}", f"{version} · {version.name}", version.number == number)
        for version in _versions(agent, number)
    ]
    is_among = any(choice.is_chosen for choice in choices)
    return choices if is_among else [Choice("", "Choose what answers", is_chosen=True), *choices]


def versions_of(agent: Agent, chosen: str = "") -> list[Choice]:
    """The versions of an agent that could be rolled out, newest first: all but the live one, unless that is chosen."""
    live = live_version(agent)
    number = int(chosen) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 10 else None
    return [
        Choice(str(version.number), f"{version} · {version.name}", version.number == number)
        for version in _versions(agent, number)
        if version != live or version.number == number
    ]


def _versions(agent: Agent, chosen: int | None) -> list[AgentVersion]:
    versions = list(agent.versions.newest_first().only("number", "name", "agent")[:MOST_VERSIONS])
    if chosen is not None and chosen not in {version.number for version in versions}:
        versions += agent.versions.filter(number=chosen).only("number", "name", "agent")
    return versions


def read_choice(slug: str, chosen: str) -> tuple[str, int | None]:
    """What a chosen line means for an agent: (`draft` or `live`, None), (`version`, number), or ("", None)."""
    if chosen in {"draft", "live"}:
        return chosen, None
    owner, _, number = chosen.rpartition("/")
    if owner in {"", slug} and number.isascii() and number.isdecimal() and len(number) < 10:
        return "version", int(number)
    return "", None
