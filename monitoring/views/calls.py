"""The list of calls, its export, and one call."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.timezone import now

from agentversions.core.roles import Permission
from agentversions.views.access import page
from channels.services.choices import agents
from config.htmx import fragment_or_page
from monitoring.core.call_filter import OUTCOMES, SENTIMENTS, CallFilter, read_filter
from monitoring.core.page_key import read_key
from monitoring.services.call_count import count_calls
from monitoring.services.call_list import list_calls, version_choices
from monitoring.services.call_page import find_call, load_call
from monitoring.services.exporting import export_calls

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
    before, after = (read_key(request.GET.get(name, "")) for name in ("before", "after"))
    shown = list_calls(wanted, before=before, after=after)
    context = {
        "wanted": wanted,
        "chips": _chips(wanted),
        "page": shown,
        "is_first_page": before is None and after is None,
        "count": count_calls(wanted),
        "agents": agents(),
        "versions": version_choices(wanted.agent, wanted.versions),
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
