"""What an open editor asks every few seconds: who else is here, and did the draft move?"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from agentversions.core.roles import Permission
from agentversions.models import Agent, Configuration, User
from agentversions.services.deployments import live_version
from agentversions.services.presence import note_presence

from .access import actor_of, agent_or_404, page
from .editor_state import describe, state_of


@page(Permission.READ, "POST")
def draft_presence(request: HttpRequest, slug: str) -> HttpResponse:
    """Note that the reader has the editor open. The draft's state is part of the answer when it is not the one that the
    page shows: another digest, another latest version, another live one."""
    agent = agent_or_404(slug)
    answer: dict[str, Any] = {"people": [_person(user) for user in note_presence(agent=agent, actor=actor_of(request))]}
    shown = (request.POST.get("digest", ""), request.POST.get("latest", ""), request.POST.get("live", ""))
    if shown != _standing(agent):
        answer["state"] = _state_since(agent, shown[0])
    return JsonResponse(answer)


def _standing(agent: Agent) -> tuple[str, str, str]:
    latest = agent.versions.newest_first().values_list("number", flat=True).first()
    live = live_version(agent)
    return agent.draft_id, str(latest or 0), str(live.number if live else 0)


def _state_since(agent: Agent, digest: str) -> dict[str, Any]:
    shown = None if digest == agent.draft_id else Configuration.objects.filter(digest=digest[:64]).first()
    return describe(state_of(agent), since=shown.load() if shown else None)


def _person(user: User) -> dict[str, str]:
    return {"name": str(user), "initials": user.username[:2].upper()}
