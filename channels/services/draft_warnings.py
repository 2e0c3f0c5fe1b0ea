"""What to say where callers hear a draft."""

from dataclasses import dataclass

from agentversions.models import Agent
from channels.core.routes import Follow, RoutePlan
from channels.models import DraftServing


@dataclass(frozen=True)
class DraftWarning:
    """An agent whose draft callers hear; `variant` is empty when it answers alone, `row` its place in the route."""

    agent: Agent
    variant: str
    row: int
    waits_for_apply: bool


def draft_warnings(plan: RoutePlan) -> list[DraftWarning]:
    """A warning for each part of a plan that follows a draft."""
    names = {target: variant.name for variant in plan.variants for target in [variant.target]}
    drafts = [(row, target) for row, target in enumerate(plan.targets) if target.follow == Follow.DRAFT]
    agents = {agent.slug: agent for agent in Agent.objects.filter(slug__in=[target.agent for _, target in drafts])}
    waiting = set(
        DraftServing.objects.filter(agent__in=agents.values(), applied__isnull=False).values_list("agent_id", flat=True)
    )
    return [
        DraftWarning(agents[target.agent], names.get(target, ""), row, agents[target.agent].pk in waiting)
        for row, target in drafts
        if target.agent in agents
    ]
