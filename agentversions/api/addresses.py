"""Addresses of things, for `Location` and for the next page of a list."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from agentversions.models import Agent, AgentVersion


def agent_address(agent: Agent) -> str:
    """Where an agent is read."""
    return reverse("api:agent", args=[agent.slug])


def version_address(version: AgentVersion) -> str:
    """Where a version is read."""
    return reverse("api:version", args=[version.agent.slug, version.number])


def next_page(request: HttpRequest, **position: object) -> str:
    """This list's address with the place to go on from."""
    return f"{request.path}?{urlencode({**request.GET.dict(), **position})}"
