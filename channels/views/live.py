"""Making a version live and rolling back: the difference, which numbers move, why; and what happened before."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.changes import Comparison
from agentversions.core.roles import Permission
from agentversions.models import AgentVersion, Deployment, User
from agentversions.services.approval_list import request_of_version
from agentversions.services.approvals import may_ask
from agentversions.services.comparison import compare_sides
from agentversions.services.deployments import is_emergency, is_rollback, live_version
from agentversions.services.errors import AgentArchived, NotAllowed, NotReady, ReasonMissing, RoutesFrozen
from agentversions.services.readiness import readiness_of
from agentversions.views.access import actor_of, agent_or_404, page, version_or_404
from channels.core.routes import Follow
from channels.forms.live import LiveForm
from channels.services.errors import LiveMoved
from channels.services.followers import followers
from channels.services.live import move_live
from config.htmx import done, fragment_or_page

FRAGMENTS = "channels/fragments"
MOST_HISTORY = 200


@page(Permission.ROUTE, "GET", "POST")
def live_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Makes a version live; an earlier one than what is live is a rollback, which needs a reason."""
    version = version_or_404(slug, number)
    form = LiveForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            deployment = move_live(version=version, **form.cleaned_data, actor=actor_of(request))
        except ReasonMissing as error:
            form.add_error("reason", str(error))
        except NotAllowed as error:
            form.add_error("override_reason", str(error))
        except (AgentArchived, LiveMoved, NotReady, RoutesFrozen) as error:
            refusal = str(error)
        else:
            return _done(request, deployment)
    live = live_version(version.agent)
    context = {
        "agent": version.agent,
        "version": version,
        "live": live,
        "is_rollback": is_rollback(version, live),
        "comparison": _difference(version, live),
        "followers": followers(version.agent, Follow.LIVE),
        "form": form,
        **_readiness(version, live, actor_of(request)),
        "refusal": refusal,
        "title": f"{version} of {version.agent} live",
    }
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/live_dialog.html", context, status=status)


def _readiness(version: AgentVersion, live: AgentVersion | None, actor: User) -> dict[str, object]:
    """What the dialog says of the gate and the approvals. Going back to what was live needs neither."""
    readiness = readiness_of(version)
    needs_nobody = is_emergency(version, live)
    return {
        "readiness": readiness,
        "is_held": not readiness.is_ready and not needs_nobody,
        "is_reviewed": needs_nobody and readiness.rules.ask_something,
        "asked": request_of_version(version),
        "may_ask": may_ask(actor),
        "may_override": actor.allows(Permission.APPROVE) and version.created_by_id != actor.pk,
    }


def _done(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    version = deployment.version
    what = (
        f"Rolled back to {version} “{version.name}”"
        if deployment.is_rollback
        else f"{version} “{version.name}” is live"
    )
    to = reverse("agentversions:version_panel", args=[version.agent.slug])
    return done(request, f"{what}. New calls hear it now.", to=to, event="live-changed")


def _difference(version: AgentVersion, live: AgentVersion | None) -> Comparison | None:
    if live is None or live == version:
        return None
    return compare_sides(agent=version.agent, base=str(live.number), head=str(version.number)).comparison


@page(Permission.READ)
def live_history(request: HttpRequest, slug: str) -> HttpResponse:
    """What was live when, newest first, as it happened."""
    agent = agent_or_404(slug)
    rows = agent.deployments.newest_first().select_related(
        "version", "created_by", "override__created_by", "rollback_review__reviewed_by"
    )[:MOST_HISTORY]
    context = {"agent": agent, "deployments": rows, "title": f"What was live: {agent.name}"}
    return fragment_or_page(request, f"{FRAGMENTS}/live_history.html", context)


@page(Permission.READ)
def live_followers(request: HttpRequest, slug: str) -> HttpResponse:
    """Which channels hear it when another version becomes live."""
    agent = agent_or_404(slug)
    context = {"followers": followers(agent, Follow.LIVE), "title": f"Who hears what is live: {agent.name}"}
    return fragment_or_page(request, f"{FRAGMENTS}/followers_list.html", context)
