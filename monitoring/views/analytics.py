"""An agent version by version: which is better, how sure that is, and what bent the curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.views.access import page
from channels.services.choices import agents
from config.htmx import fragment_or_page
from monitoring.core.measures import BY_KEY, MEASURES, Measure
from monitoring.core.periods import Period, period_of
from monitoring.services.analytics import VersionFigures, compare, ended_reasons, figures_of, first_day
from monitoring.services.charts import chart_of, export_chart
from monitoring.services.events import list_events
from monitoring.services.fairness import fairness_warnings

RANGES = {
    "1": "Today",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "90": "Last 90 days",
    "365": "Last year",
    "ever": "Ever",
}
MOST_HOURLY = 7
"""Days that a chart can show by hour."""
MOST_LINES = 6


@dataclass(frozen=True)
class Asked:
    """What the address asks for; what it cannot mean is left at what is usual."""

    agent: Agent | None
    days: str
    by_hour: bool
    measure: Measure
    versions: tuple[str, ...]
    head: str
    base: str

    def address(self, **changed: str) -> str:
        """The query of this page with something changed."""
        values = {
            "agent": self.agent.slug if self.agent else "",
            "days": self.days,
            "by": "hour" if self.by_hour else "",
            "figure": self.measure.key,
            "head": self.head,
            "base": self.base,
            **changed,
        }
        pairs = [(name, value) for name, value in values.items() if value]
        return urlencode([*pairs, *(("version", version) for version in self.versions)])


@page(Permission.READ)
def analytics(request: HttpRequest) -> HttpResponse:
    """Figures of an agent's versions in a range of days of the reader's; two of them side by side."""
    asked = _read(request)
    context: dict[str, Any] = {"asked": asked, "agent": asked.agent, "agents": agents(), "ranges": RANGES.items()}
    if asked.agent is None:
        return render(request, "monitoring/analytics.html", context)
    period = _period(asked.agent, asked)
    every = figures_of(asked.agent, period)
    found = [each for each in every if not asked.versions or each.key in asked.versions]
    head, base = _chosen(found, asked.head, 0), _chosen(found, asked.base, 1)
    compared = compare(head, base) if head and base and head != base else []
    lines = _lines(found, asked, head, base)
    context |= {
        "period": period,
        "every": every,
        "figures": found,
        "head": head,
        "base": base,
        "compared": compared,
        "chart": chart_of(asked.agent, lines, asked.measure, period),
        "events": list_events(asked.agent, period.since, period.until),
        "reasons": ended_reasons(asked.agent, period, [each.version for each in lines]),
        "lines": lines,
        "tabs": [(measure, asked.address(figure=measure.key)) for measure in MEASURES],
        "can_be_hourly": asked.days in {"1", "7"},
    }
    return render(request, "monitoring/analytics.html", context)


@page(Permission.READ)
def analytics_fairness(request: HttpRequest) -> HttpResponse:
    """What differed between two versions' calls besides the version."""
    asked = _read(request)
    if asked.agent is None:
        raise Http404("Choose an agent.")
    period = _period(asked.agent, asked)
    found = figures_of(asked.agent, period)
    head, base = _chosen(found, asked.head, 0), _chosen(found, asked.base, 1)
    if head is None or base is None or head == base:
        raise Http404("Choose two versions that had calls in that time.")
    context = {
        "title": f"Is {head.words} against {base.words} a fair comparison?",
        "warnings": fairness_warnings(asked.agent, period, head.version, base.version),
        "head": head,
        "base": base,
    }
    return fragment_or_page(request, "monitoring/fragments/fairness.html", context)


@page(Permission.READ)
def analytics_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Every sum and measure by version and time as CSV."""
    asked = _read(request)
    if asked.agent is None:
        raise Http404("Choose an agent.")
    period = _period(asked.agent, asked)
    found = [each for each in figures_of(asked.agent, period) if not asked.versions or each.key in asked.versions]
    response = StreamingHttpResponse(export_chart(asked.agent, found, period), content_type="text/csv; charset=utf-8")
    name = f"analytics-{asked.agent.slug}-{timezone.localdate():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _read(request: HttpRequest) -> Asked:
    given = {name: str(value).replace("\x00", "") for name, value in request.GET.items()}
    days = given.get("days", "30")
    days = days if days in RANGES else "30"
    return Asked(
        agent=Agent.objects.filter(slug=given.get("agent", "")).first(),
        days=days,
        by_hour=days == "1" or (given.get("by") == "hour" and days.isdecimal() and int(days) <= MOST_HOURLY),
        measure=BY_KEY.get(given.get("figure", ""), MEASURES[0]),
        versions=tuple(dict.fromkeys(request.GET.getlist("version")[:300])),
        head=given.get("head", "")[:20],
        base=given.get("base", "")[:20],
    )


def _period(agent: Agent, asked: Asked) -> Period:
    """The days that were asked for, today with them, in the reader's zone."""
    zone, today = ZoneInfo(timezone.get_current_timezone_name()), timezone.localdate()
    if asked.days == "ever":
        first: date = first_day(agent, zone) or today
    else:
        first = today - timedelta(days=int(asked.days) - 1)
    return period_of(min(first, today), today, zone, by_hour=asked.by_hour)


def _chosen(found: Sequence[VersionFigures], key: str, place: int) -> VersionFigures | None:
    """The version that the address names, else the one at this place of the list."""
    named = next((each for each in found if each.key == key), None)
    return named or (found[place] if len(found) > place else None)


def _lines(
    found: Sequence[VersionFigures], asked: Asked, head: VersionFigures | None, base: VersionFigures | None
) -> list[VersionFigures]:
    """The versions that a chart shows: those asked for, else the two that are compared."""
    if asked.versions:
        return list(found[:MOST_LINES])
    return [each for each in (head, base if base != head else None) if each is not None]
