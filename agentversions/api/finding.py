"""Loads what an address names, or says that there is no such thing; used by every operation of an agent."""

from django.http import Http404

from agentversions.models import Agent, AgentVersion
from agentversions.services.publishing import get_version


def find_agent(slug: str) -> Agent:
    """The agent with its draft. Raises Http404 with a sentence."""
    agent: Agent | None = Agent.objects.with_draft().select_related("created_by").filter(slug=slug).first()
    if agent is None:
        raise Http404(f"There is no agent “{slug}”. GET /api/v1/agents lists them.")
    return agent


def find_version(slug: str, number: int) -> AgentVersion:
    """The version with its agent, configuration and author. Raises Http404 or UnknownVersion."""
    agent = find_agent(slug)
    version = get_version(agent, number)
    version.agent = agent
    return version
