"""Where a version goes once it is published: live, or pinned on chosen numbers, shown with what each answers now."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.models import Agent, AgentVersion
from agentversions.services.deployments import live_version
from agentversions.services.errors import Refused
from agentversions.services.publishing import latest_version
from agentversions.views.access import actor_of, agent_or_404, page, version_or_404
from channels.core.routes import Follow, Target, single
from channels.models import Channel, RouteBatch
from channels.services.batches import apply_moves, plan_moves
from channels.services.errors import BatchRefused
from channels.services.fleet import chosen_channels
from channels.services.followers import channels_of, followers
from channels.services.moves import in_words
from config.htmx import done, fragment_or_page

MOST_OFFERED = 50


@page(Permission.ROUTE)
def after_publish(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest version with where it could go; the editor shows it after publishing."""
    agent = agent_or_404(slug)
    return _dialog(request, agent, latest_version(agent))


@page(Permission.ROUTE, "GET", "POST")
def pin_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Pins a version on chosen numbers, as one change that can be undone."""
    version = version_or_404(slug, number)
    if request.method != "POST":
        return _dialog(request, version.agent, version)
    try:
        batch = _pin(request, version)
    except Refused as refusal:
        return _dialog(request, version.agent, version, refusal=str(refusal), status=422)
    to = reverse("agentversions:version_detail", args=[slug, number])
    undo = reverse("channels:batch_undo", args=[batch.pk])
    return done(request, f"{batch.summary}.", to=to, event="route-changed", undo=undo)


def _pin(request: HttpRequest, version: AgentVersion) -> RouteBatch:
    """The chosen numbers, if each still answers with what was shown beside it. Raises BatchRefused, RouteRefused."""
    channels = chosen_channels([], request.POST.getlist("channel"))
    shown = {address: request.POST.get(f"shown-{address}", "") for address in request.POST.getlist("channel")}
    rows = list(channels.values_list("pk", "address", "route_id"))
    if moved := [key for key, address, route in rows if route != shown[address]]:
        raise BatchRefused(f"Somebody changed {in_words(moved)} meanwhile. Nothing was changed; choose again.")
    moves = plan_moves(channels, single(Target(version.agent.slug, Follow.VERSION, version.number)))
    count = f"{len(moves):,} number{'' if len(moves) == 1 else 's'}"
    return apply_moves(
        moves=moves,
        summary=f"{count} to {version.agent.slug} {version}",
        reason=request.POST.get("reason", "").replace("\x00", "")[:2000],
        actor=actor_of(request),
    )


def _dialog(
    request: HttpRequest, agent: Agent, version: AgentVersion | None, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    found = channels_of(agent)
    offered: Sequence[Channel] = found.with_route().order_by("address")[:MOST_OFFERED]
    context = {
        "agent": agent,
        "version": version,
        "live": live_version(agent),
        "live_followers": followers(agent, Follow.LIVE),
        "channels": offered,
        "more": max(found.count() - MOST_OFFERED, 0),
        "refusal": refusal,
        "title": f"Where {version} goes" if version else "Nothing is published yet",
    }
    return fragment_or_page(request, "channels/fragments/pin_dialog.html", context, status=status)
