"""The versions that a flag must fit: what callers may hear now or soon, and the newest ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from agentversions.core.configuration import AgentConfiguration
from agentversions.models import Agent, AgentVersion, Configuration, Deployment
from channels.core.routes import Follow
from channels.models import Channel, DraftServing, Rollout, RouteTarget
from channels.models.rollouts import OVER

MOST_CHECKED = 300
NEWEST = 3
"""Versions of one agent that are looked at although nobody hears them."""


@dataclass(frozen=True)
class Checked:
    """A configuration that a flag is checked against: what it is called (`V7`), and why (`live`, `pinned`)."""

    name: str
    why: tuple[str, ...]
    digest: str

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.why)})" if self.why else self.name


def versions_to_check(agent: Agent | None) -> tuple[Checked, ...]:
    """Draft, live, pinned, in a rollout, newest: of an agent, or of every agent that is not archived (at most 300)."""
    agents = [agent] if agent else list(Agent.objects.active().order_by("slug"))
    prefix = {each.pk: "" if agent else f"{each.slug} " for each in agents}
    found = [Checked(f"{prefix[each.pk]}Draft", (), each.draft_id) for each in agents]
    found += [
        Checked(f"{prefix[serving.agent_id]}Draft as applied", (), str(serving.applied_id))
        for serving in DraftServing.objects.filter(agent__in=agents, applied__isnull=False)
    ]
    reasons = _reasons(agents, NEWEST if agent else 1)
    rows = (
        AgentVersion.objects.filter(pk__in=reasons)
        .order_by("agent__slug", "-number")
        .only("number", "agent_id", "configuration_id")
    )
    found += [
        Checked(f"{prefix[row.agent_id]}V{row.number}", tuple(reasons[row.pk]), row.configuration_id) for row in rows
    ]
    return tuple(found[:MOST_CHECKED])


def load(checked: Iterable[Checked]) -> dict[str, AgentConfiguration]:
    """The configurations by what they are called. Those of the same content are read once."""
    wanted = list(checked)
    rows = Configuration.objects.filter(digest__in={each.digest for each in wanted})
    contents = {row.digest: row.load() for row in rows}
    return {each.name: contents[each.digest] for each in wanted}


def _reasons(agents: list[Agent], newest: int) -> dict[int, list[str]]:
    """Why each version (by its key) is looked at."""
    found: dict[int, list[str]] = {}

    def note(versions: Any, why: str) -> None:
        for version in versions:
            if version is not None:
                found.setdefault(version, []).append(why)

    note(_newest(Deployment, agents, "-id").values_list("version_id", flat=True), "live")
    used = Channel.objects.order_by().values("route_id")
    pins = RouteTarget.objects.filter(agent__in=agents, follow=Follow.VERSION, route__in=used)
    note(pins.order_by("version_id").values_list("version_id", flat=True).distinct(), "pinned")
    rollouts = Rollout.objects.filter(~Q(state__in=OVER), agent__in=agents)
    for versions in rollouts.values_list("version_id", "baseline_id"):
        note(versions, "in a rollout")
    if newest == 1:
        note(_newest(AgentVersion, agents, "-number").values_list("pk", flat=True), "newest")
    else:
        rows = AgentVersion.objects.filter(agent__in=agents).order_by("-number")[:newest]
        for index, version in enumerate(rows.values_list("pk", flat=True)):
            note([version], "newest" if index == 0 else "")
    return {version: [why for why in dict.fromkeys(reasons) if why] for version, reasons in found.items()}


def _newest(model: Any, agents: list[Agent], order: str) -> Any:
    """The first row of each agent in this order."""
    return model.objects.filter(agent__in=agents).order_by("agent_id", order).distinct("agent_id")
