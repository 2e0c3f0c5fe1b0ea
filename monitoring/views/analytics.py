"""An agent version by version: which is better, and how sure that is."""

from datetime import datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.views.access import page
from channels.services.choices import agents
from monitoring.services.analytics import FIGURES, VersionFigures, compare, figures_of

RANGES = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last year", "3650": "Ever"}


@page(Permission.READ)
def analytics(request: HttpRequest) -> HttpResponse:
    """Figures of an agent's versions in a range of days of the reader's; two of them side by side."""
    choices = agents()
    agent = Agent.objects.filter(slug=request.GET.get("agent", "").replace("\x00", "")).first()
    days = request.GET.get("days", "30") if request.GET.get("days", "30") in RANGES else "30"
    since, until = _range(int(days))
    found = figures_of(agent, since, until) if agent else []
    head = _chosen(found, request.GET.get("head", ""), 0)
    base = _chosen(found, request.GET.get("base", ""), 1)
    context = {
        "agent": agent,
        "agents": choices,
        "ranges": RANGES.items(),
        "days": days,
        "since": since,
        "figures": found,
        "head": head,
        "base": base,
        "compared": compare(head, base) if head and base and head != base else [],
        "meanings": [(label, meaning) for label, meaning, *_ in FIGURES],
    }
    return render(request, "monitoring/analytics.html", context)


def _range(days: int) -> tuple[datetime, datetime]:
    """So many days of the reader's, today with them."""
    today = timezone.localdate()
    midnight = datetime.combine(today - timedelta(days=days - 1), time(), timezone.get_current_timezone())
    return midnight, timezone.now() + timedelta(hours=1)


def _chosen(found: list[VersionFigures], key: str, place: int) -> VersionFigures | None:
    """The version that the address names, else the one at this place of the list."""
    named = next((each for each in found if each.key == key), None)
    return named or (found[place] if len(found) > place else None)
