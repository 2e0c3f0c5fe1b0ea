"""Which channels an agent answers, and which of them a moved pointer of it reaches."""

from dataclasses import dataclass
from typing import Any

from agentversions.models import Agent
from channels.models import Channel, RouteTarget

MOST_SHOWN = 20


@dataclass(frozen=True)
class Followers:
    """How many channels that are switched on follow, and the first twenty of them."""

    count: int
    channels: list[Channel]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.channels)


def followers(agent: Agent, follow: str) -> Followers:
    """The channels that follow an agent's `draft` or `live` version, alone or in a test."""
    routes = RouteTarget.objects.filter(agent=agent, follow=follow).values("route_id")
    found: Any = Channel.objects.filter(route_id__in=routes, is_enabled=True)
    return Followers(found.count(), list(found.with_route().order_by("address")[:MOST_SHOWN]))


def channels_of(agent: Agent) -> Any:
    """The channels that an agent answers, whatever of it, alone or in a test, as a query."""
    return Channel.objects.filter(route_id__in=RouteTarget.objects.filter(agent=agent).values("route_id"))
