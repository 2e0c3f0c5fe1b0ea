"""The page that compares any two of draft, live, versions and former draft states."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.core.sections import KeptLines, sections_of
from agentversions.core.text_tables import Look
from agentversions.core.workflow_changes import draw_difference
from agentversions.models import Agent
from agentversions.services.approval_discussion import discussion_of, place_comments
from agentversions.services.comparison import ComparedSides, compare_sides, offer_sides, usual_sides
from agentversions.services.errors import NotLive, UnknownVersion

from .access import actor_of, agent_or_404, page

KEPT = ("view", "show", "approval")
"""Choices of the reader that stay when other sides are chosen."""
UNFOLDED = {"context": "all", "rows": "all"}
"""The query of a page with every line."""


@page(Permission.READ)
def version_compare(request: HttpRequest, slug: str, base: str, head: str) -> HttpResponse:
    """What differs between two sides, side by side or inline; `?approval=` adds what was said on a request."""
    agent = agent_or_404(slug)
    compared = _compared_or_404(agent, base, head)
    discussion = discussion_of(compared.head.version, request.GET.get("approval", ""), actor_of(request))
    shown = shown_difference(request, compared, kept=discussion.kept_lines if discussion else None)
    context = {
        **shown,
        "remarks": place_comments(discussion, shown["sections"]) if discussion else None,
        "agent": agent,
        "choices": offer_sides(agent, compared.base, compared.head),
    }
    return render(request, "agentversions/version_compare.html", context)


def shown_difference(request: HttpRequest, compared: ComparedSides, *, kept: KeptLines | None = None) -> dict[str, Any]:
    """What a page needs to show a difference (`fragments/compare_*.html`), in the look that its address chooses."""
    comparison = compared.comparison
    is_everything = request.GET.get("show") == "everything"
    look = Look(
        is_inline=request.GET.get("view") == "inline",
        is_unfolded=is_everything or request.GET.get("context") == "all",
        has_all_rows=request.GET.get("rows") == "all",
    )
    return {
        "compared": compared,
        "comparison": comparison,
        "sections": sections_of(comparison, look=look, is_everything=is_everything, kept=kept),
        "drawing": draw_difference(comparison, look=look),
        "look": look,
        "is_everything": is_everything,
        "unfolded": f"?{urlencode({**request.GET.dict(), **UNFOLDED})}",
    }


@page(Permission.READ)
def version_compare_choice(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the reader to the comparison of the chosen sides; a typed number counts more than the list."""
    agent = agent_or_404(slug)
    usual_base, usual_head = usual_sides(agent)
    base = _chosen(request, "base") or usual_base
    head = _chosen(request, "head") or usual_head
    kept = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    address = reverse("agentversions:version_compare", args=[agent.slug, base, head])
    return HttpResponseRedirect(f"{address}?{urlencode(kept)}" if kept else address)


def _chosen(request: HttpRequest, side: str) -> str:
    """The chosen side, without what cannot stand in an address."""
    typed = request.GET.get(f"{side}_number", "").strip().removeprefix("V").removeprefix("v")
    return (typed or request.GET.get(side, "")).replace("/", "")[:80]


def _compared_or_404(agent: Agent, base: str, head: str) -> ComparedSides:
    try:
        return compare_sides(agent=agent, base=base, head=head)
    except (UnknownVersion, NotLive) as error:
        raise Http404(str(error)) from error
