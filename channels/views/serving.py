"""When edits of a draft reach callers: the warning in the editor, and the choice beside it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.services.errors import AgentArchived
from agentversions.views.access import actor_of, agent_or_404, page
from channels.core.routes import Follow
from channels.services.draft_serving import applied_draft, apply_draft, count_waiting, serve_at_once, wait_for_apply
from channels.services.errors import NotServing
from channels.services.followers import followers
from config.htmx import fragment_or_page, wants_fragment

STEPS = {"apply": apply_draft, "wait": wait_for_apply, "at-once": serve_at_once}


@page(Permission.READ)
def draft_followers(request: HttpRequest, slug: str) -> HttpResponse:
    """How many channels follow the draft, and whether edits reach them at once."""
    return _show(request, agent_or_404(slug))


@page(Permission.EDIT, "POST")
def draft_serving(request: HttpRequest, slug: str) -> HttpResponse:
    """Applies the draft, or chooses whether edits wait."""
    agent = agent_or_404(slug)
    step = STEPS.get(request.POST.get("step", ""))
    status = 200
    if step is not None:
        try:
            step(agent=agent, actor=actor_of(request))
        except (NotServing, AgentArchived):
            status = 409  # shown as it stands now: somebody else was first
    if not wants_fragment(request):
        return redirect("agentversions:agent_editor", slug=slug)
    return _show(request, agent, status=status)


def _show(request: HttpRequest, agent: Agent, *, status: int = 200) -> HttpResponse:
    context = {
        "agent": agent,
        "followers": followers(agent, Follow.DRAFT),
        "applied": applied_draft(agent),
        "waiting": count_waiting(agent),
        "title": f"Who hears the draft of {agent.name}",
    }
    return fragment_or_page(request, "channels/fragments/draft_followers.html", context, status=status)
