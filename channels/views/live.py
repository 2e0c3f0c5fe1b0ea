"""Making a version live and rolling back: the difference, which numbers move, why; and what happened before."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.models import AgentVersion
from agentversions.services.comparison import compare_sides
from agentversions.services.deployments import live_version, make_live, roll_back
from agentversions.services.errors import AgentArchived, NotLive, ReasonMissing
from agentversions.views.access import actor_of, agent_or_404, page, version_or_404
from channels.core.routes import Follow, Target, single
from channels.forms.live import LiveForm
from channels.services.batches import apply_moves, plan_moves
from channels.services.errors import BatchRefused, RouteRefused
from channels.services.fleet import chosen_channels
from channels.services.followers import followers
from config.htmx import done, fragment_or_page

FRAGMENTS = "channels/fragments"


@page(Permission.ROUTE, "GET", "POST")
def live_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Makes a version live; an earlier one than what is live is a rollback, which needs a reason."""
    version = version_or_404(slug, number)
    live = live_version(version.agent)
    form = LiveForm(request.POST or None, initial={"seen": live.number if live else 0})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["seen"] != (live.number if live else 0):
            refusal = f"Somebody made {live} live meanwhile. Look at the difference again."
        else:
            try:
                return _deploy(request, version, live, form.cleaned_data["reason"])
            except ReasonMissing as error:
                form.add_error("reason", str(error))
            except (AgentArchived, NotLive) as error:
                refusal = str(error)
    context = {
        "agent": version.agent,
        "version": version,
        "live": live,
        "is_rollback": _is_rollback(version, live),
        "comparison": _difference(version, live),
        "followers": followers(version.agent, Follow.LIVE),
        "form": form,
        "refusal": refusal,
        "title": f"{version} of {version.agent} live",
    }
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/live_dialog.html", context, status=status)


def _deploy(request: HttpRequest, version: AgentVersion, live: AgentVersion | None, reason: str) -> HttpResponse:
    agent, actor = version.agent, actor_of(request)
    if _is_rollback(version, live):
        roll_back(agent=agent, to=version, reason=reason, actor=actor)
        message = f"Rolled back to {version} “{version.name}”. New calls hear it now."
    else:
        make_live(version=version, reason=reason, actor=actor)
        message = f"{version} “{version.name}” is live. New calls hear it now."
    to = reverse("agentversions:version_panel", args=[agent.slug])
    return done(request, message, to=to, event="live-changed")


def _is_rollback(version: AgentVersion, live: AgentVersion | None) -> bool:
    return live is not None and version.number < live.number


def _difference(version: AgentVersion, live: AgentVersion | None) -> object:
    if live is None or live == version:
        return None
    return compare_sides(agent=version.agent, base=str(live.number), head=str(version.number)).comparison


@page(Permission.READ)
def live_history(request: HttpRequest, slug: str) -> HttpResponse:
    """What was live when, newest first, as it happened."""
    agent = agent_or_404(slug)
    rows = agent.deployments.newest_first().select_related("version", "created_by")[:200]
    context = {"agent": agent, "deployments": rows, "title": f"What was live: {agent.name}"}
    return fragment_or_page(request, f"{FRAGMENTS}/live_history.html", context)


@page(Permission.READ)
def after_publish(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest version with where it could go: live, or pinned on numbers; shown after publishing."""
    agent = agent_or_404(slug)
    version = agent.versions.newest_first().first()
    routes = agent.route_targets.values("route_id")
    context = {
        "agent": agent,
        "version": version,
        "live": live_version(agent),
        "live_followers": followers(agent, Follow.LIVE),
        "channels": chosen_channels([row["route_id"] for row in routes], [])[:50] if version else [],
        "title": f"Where {version} goes",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/after_publish.html", context)


@page(Permission.ROUTE, "POST")
def pin_published(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Pins a version on chosen numbers, as one change that can be undone."""
    version = version_or_404(slug, number)
    back = redirect("agentversions:version_detail", slug=slug, number=number)
    channels = chosen_channels([], request.POST.getlist("channel"))
    try:
        moves = plan_moves(channels, single(Target(slug, Follow.VERSION, version.number)))
        batch = apply_moves(
            moves=moves,
            summary=f"{len(moves):,} numbers to {slug} {version}",
            reason=request.POST.get("reason", "")[:2000],
            actor=actor_of(request),
        )
    except (BatchRefused, RouteRefused) as refusal:
        messages.error(request, str(refusal))
        return back
    undo = reverse("channels:batch_undo", args=[batch.pk])
    messages.success(request, f"{batch.summary}.", extra_tags=f"undo:{undo}")
    return back
