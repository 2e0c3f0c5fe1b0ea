"""The list of calls, its export, and one call."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.timezone import now

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.views.access import page
from channels.services.choices import agents
from config.htmx import fragment_or_page
from monitoring.core.call_filter import OUTCOMES, SENTIMENTS, CallFilter, read_filter
from monitoring.services.call_list import Key, count_calls, list_calls
from monitoring.services.call_page import find_call, load_call
from monitoring.services.exporting import export_calls

MOST_VERSIONS = 300
LABELS = {
    "agent": "Agent",
    "version": "Version",
    "variant": "Variant",
    "channel": "Number",
    "outcome": "Outcome",
    "sentiment": "Sentiment",
    "ended": "Ended",
    "shortest": "At least",
    "longest": "At most",
    "since": "Since",
    "until": "Until",
    "caller": "Caller",
    "id": "Call",
    "tests": "Test calls",
}


@page(Permission.READ)
def call_list(request: HttpRequest) -> HttpResponse:
    """Calls, newest first; every filter is in the address and shown as a chip."""
    wanted = read_filter(dict(request.GET.lists()))
    shown = list_calls(wanted, before=_key(request, "before"), after=_key(request, "after"))
    context = {
        "wanted": wanted,
        "chips": _chips(wanted),
        "page": shown,
        "count": count_calls(wanted),
        "agents": agents(),
        "versions": _versions(wanted),
        "outcomes": OUTCOMES.items(),
        "sentiments": SENTIMENTS,
    }
    return fragment_or_page(request, "monitoring/fragments/call_table.html", context, page="monitoring/call_list.html")


@page(Permission.READ)
def call_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The calls of a filter as CSV, streamed."""
    wanted = read_filter(dict(request.GET.lists()))
    response = StreamingHttpResponse(export_calls(wanted), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="calls-{now():%Y-%m-%d-%H%M}.csv"'
    return response


@page(Permission.READ)
def call_detail(request: HttpRequest, sender_id: str) -> HttpResponse:
    """One call."""
    call = find_call(sender_id) if "\x00" not in sender_id else None
    if call is None:
        raise Http404(f"There is no call “{sender_id[:100]}”.")
    context = {"detail": load_call(call), "call": call, "title": "Call"}
    return fragment_or_page(request, "monitoring/fragments/call.html", context, page="monitoring/call_detail.html")


def _chips(wanted: CallFilter) -> list[dict[str, str]]:
    problems = dict(wanted.problems)
    return [
        {
            "label": LABELS[name],
            "value": value,
            "without": wanted.without(name, value).address,
            "problem": problems.get(name, ""),
        }
        for name, value in wanted.pairs
    ]


def _versions(wanted: CallFilter) -> list[tuple[str, str, bool]]:
    """The versions of the chosen agent: value, words, whether it is chosen."""
    agent = Agent.objects.filter(slug=wanted.agent).first() if wanted.agent else None
    if agent is None:
        return []
    found = agent.versions.newest_first().values_list("number", "name")[:MOST_VERSIONS]
    choices = [("draft", "Draft"), *((f"V{number}", f"V{number} · {name}") for number, name in found)]
    return [(value, words, value in wanted.versions) for value, words in [*choices, ("unknown", "Unknown")]]


def _key(request: HttpRequest, name: str) -> Key | None:
    """Where a page goes on: `2026-11-20T12:00:00+00:00,17`."""
    moment, _, number = request.GET.get(name, "").rpartition(",")
    try:
        started_at, call_id = datetime.fromisoformat(moment.replace(" ", "+")), int(number[:19])
    except ValueError:
        return None
    return (started_at, call_id) if started_at.tzinfo and 2000 <= started_at.year < 2200 else None
