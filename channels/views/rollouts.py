"""Rollouts: the list, the page of one, what other pages say about them, the number in the navigation."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse

from agentversions.core.roles import Permission
from agentversions.services.deployments import live_version
from agentversions.services.publishing import latest_version
from agentversions.views.access import agent_or_404, page
from channels.core.rollout_states import State
from channels.models import Rollout
from channels.services.choices import agents
from channels.services.rollout_list import (
    count_open,
    find_rollout,
    open_rollouts,
    past_rollouts,
    shares_by_version,
    show_rollout,
)
from channels.services.rollouts import open_rollout
from config.htmx import fragment_or_page

from .access import text_in

FRAGMENTS = "channels/fragments"
PER_PAGE = 30


@page(Permission.READ)
def rollout_list(request: HttpRequest) -> HttpResponse:
    """The open ones first, then what became of the others; agent and state are in the address."""
    agent, state = text_in(request, "agent"), text_in(request, "state")
    state = state if state in set(State) else ""
    past = Paginator(past_rollouts(agent=agent, state=state), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "open": open_rollouts(agent=agent, state=state),
        "past": past,
        "agents": agents(),
        "states": [(each.value, each.word.capitalize()) for each in State],
        "agent": agent,
        "state": state,
    }
    return fragment_or_page(request, f"{FRAGMENTS}/rollout_lists.html", context, page="channels/rollout_list.html")


@page(Permission.READ)
def rollout_detail(request: HttpRequest, number: int) -> HttpResponse:
    """One rollout: where it stands, every move with its reason, what may be done; the judge's part loads itself."""
    context = {"shown": show_rollout(rollout_or_404(number))}
    return fragment_or_page(request, f"{FRAGMENTS}/rollout_one.html", context, page="channels/rollout_detail.html")


@page(Permission.READ)
def agent_rollout(request: HttpRequest, slug: str) -> HttpResponse:
    """A line for the pages of an agent and of its numbers: which version goes to how many callers."""
    agent = agent_or_404(slug)
    live, latest = live_version(agent), latest_version(agent)
    context = {
        "agent": agent,
        "rollout": open_rollout(agent),
        "candidate": latest if live is not None and latest != live and not agent.is_archived else None,
        "is_brief": "brief" in request.GET,
        "title": f"Rollout of {agent.name}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/agent_rollout.html", context)


@page(Permission.READ)
def rollout_marks(request: HttpRequest, slug: str) -> HttpResponse:
    """Marks the version that is rolled out in the list of versions."""
    agent = agent_or_404(slug)
    context = {
        "agent": agent,
        "shares": shares_by_version(agent).items(),
        "rollout": open_rollout(agent),
        "title": f"Rollout of {agent.name}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/rollout_marks.html", context)


@page(Permission.READ)
def rollout_badge(request: HttpRequest) -> HttpResponse:
    """How many rollouts are open, for the navigation."""
    context = {"count": count_open(), "title": "Open rollouts"}
    return fragment_or_page(request, f"{FRAGMENTS}/rollout_badge.html", context)


def rollout_or_404(number: int) -> Rollout:
    """The rollout, or a 404 with words."""
    rollout = find_rollout(number)
    if rollout is None:
        raise Http404("There is no such rollout.")
    return rollout
