"""Which numbers take part in a rollout, and letting those on the draft or on a pin follow Live first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentversions.models import Agent, AgentVersion, User
from channels.core.routes import Follow, Target, single
from channels.models import Channel, RouteTarget

from .batches import apply_moves, plan_moves
from .errors import RolloutRefused
from .followers import Followers, followers

MOST_OFFERED = 200


@dataclass(frozen=True)
class Choice:
    """A number that could be switched to Live, with what answers it now."""

    channel: Channel
    target: Target


@dataclass(frozen=True)
class TakingPart:
    """The numbers that follow Live, those that could be switched to it, and how many of these are not shown."""

    followers: Followers
    choices: list[Choice]
    more: int


def taking_part(agent: Agent) -> TakingPart:
    """Whom a rollout of this agent reaches, and whom it could."""
    found = _choices(agent)
    rows = list(found.order_by("address")[:MOST_OFFERED])
    choices = [Choice(channel, channel.route.plan.targets[0]) for channel in rows]
    return TakingPart(followers(agent, Follow.LIVE), choices, found.count() - len(rows))


def _choices(agent: Agent) -> Any:
    """Channels that one target of this agent answers alone, which is not Live."""
    routes = RouteTarget.objects.filter(agent=agent, route__is_test=False).exclude(follow=Follow.LIVE)
    return Channel.objects.with_route().filter(route_id__in=routes.values("route_id"))


def let_follow_live(*, agent: Agent, addresses: Sequence[str], version: AgentVersion, reason: str, actor: User) -> None:
    """Switch these channels to the agent's live version. Raises RolloutRefused for one that cannot be, RoutesFrozen."""
    wanted = set(addresses)
    if not wanted:
        return
    found = _choices(agent).filter(address__in=[address for address in wanted if "\x00" not in address])
    missing = sorted(wanted - set(found.values_list("address", flat=True)))
    if missing:
        words = f"{missing[0]} is not on the draft or on a version of “{agent.name}”. Look at the list again."
        raise RolloutRefused.at("follow_live", words)
    moves = plan_moves(found, single(Target(agent.slug, Follow.LIVE)))
    count = f"{len(moves):,} number{'' if len(moves) == 1 else 's'}"
    summary = f"{count} to {agent.slug} Live for the rollout of {version}"
    apply_moves(moves=moves, summary=summary, reason=reason, actor=actor)
