"""An agent's versions: the panel beside the editor (and as a page), its pages of rows, one version in full."""

import re

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.outline import outline
from agentversions.core.roles import Permission
from agentversions.models import Agent, GitVersion
from agentversions.services.comparison import changes_since_latest
from agentversions.services.deployments import live_version
from agentversions.services.publishing import latest_version
from agentversions.services.version_history import list_versions
from config.htmx import fragment_or_page

from .access import agent_or_404, page, version_or_404

FRAGMENTS = "agentversions/fragments"
SIDE = re.compile(r"[0-9a-z]{1,64}")


@page(Permission.READ)
def version_panel(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft with what changed since the latest version, then the versions, newest first."""
    agent = agent_or_404(slug)
    context = {"agent": agent, **_draft(agent), **_listed(request, agent)}
    return fragment_or_page(
        request, f"{FRAGMENTS}/version_panel.html", context, page="agentversions/version_panel.html"
    )


@page(Permission.READ)
def version_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The next rows of the panel, or those that a search finds."""
    agent = agent_or_404(slug)
    context = {"agent": agent, **_listed(request, agent)}
    return fragment_or_page(request, f"{FRAGMENTS}/version_panel_list.html", context)


@page(Permission.READ)
def version_panel_draft(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft's row of the panel, which follows every save."""
    agent = agent_or_404(slug)
    return fragment_or_page(request, f"{FRAGMENTS}/version_panel_draft.html", {"agent": agent, **_draft(agent)})


@page(Permission.READ)
def version_detail(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version in full: who, when, everything in its configuration, and how to verify it."""
    version = version_or_404(slug, number)
    context = {
        "agent": version.agent,
        "version": version,
        "sections": outline(version.configuration.load()),
        "live": live_version(version.agent),
        "latest": latest_version(version.agent),
        "commits": GitVersion.objects.of_version(version),
        "bytes_address": request.build_absolute_uri(f"/api/v1/configurations/{version.configuration_id}"),
    }
    return render(request, "agentversions/version_detail.html", context)


@page(Permission.READ)
def compare_picked(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends the two rows that were ticked in a list (newest first) to the compare page, the older one as its base."""
    agent = agent_or_404(slug)
    picked = request.GET.getlist("pick")
    if any(SIDE.fullmatch(side) is None for side in picked):
        raise Http404("Pick versions of this agent.")
    if len(picked) != 2:
        messages.warning(request, "Pick two to compare.")
        is_history = request.GET.get("list") == "history"
        return redirect("agentversions:draft_history" if is_history else "agentversions:version_panel", slug=agent.slug)
    return redirect(reverse("agentversions:version_compare", args=[agent.slug, picked[1], picked[0]]))


def _draft(agent: Agent) -> dict[str, object]:
    latest, comparison = changes_since_latest(agent)
    return {"latest": latest, "comparison": comparison}


def _listed(request: HttpRequest, agent: Agent) -> dict[str, object]:
    text, below = request.GET.get("q", "").strip()[:200], row_below(request)
    return {"page": list_versions(agent, below=below, text=text), "q": text, "is_continued": below is not None}


def row_below(request: HttpRequest) -> int | None:
    """The row that a list continues below (`?before=51`); anything else shows the list from its top."""
    number = request.GET.get("before", "")
    return int(number) if re.fullmatch(r"[0-9]{1,15}", number) else None
