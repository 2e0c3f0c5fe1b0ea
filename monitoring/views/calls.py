"""The list of calls, its export, and one call."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.timezone import now

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.services.evaluations.suites import find_suites
from agentversions.views.access import actor_of, page
from channels.services.choices import agents
from config.htmx import fragment_or_page
from monitoring.core.call_filter import ARMS, OUTCOMES, SENTIMENTS, CallFilter, read_filter
from monitoring.core.columns import COLUMNS
from monitoring.core.page_key import read_key
from monitoring.models import SavedView
from monitoring.services.call_count import count_calls
from monitoring.services.call_list import list_calls, version_choices
from monitoring.services.call_page import find_call, read_call
from monitoring.services.exporting import export_calls
from monitoring.services.saved_views import columns_of, list_views, may_change

from .filters import chips, field_kind, spans_of

LABELS = {
    "agent": "Agent",
    "version": "Version",
    "variant": "Variant",
    "channel": "Number",
    "outcome": "Outcome",
    "sentiment": "Sentiment",
    "ended": "Ended",
    "shortest": "At least, seconds",
    "longest": "At most, seconds",
    "days": "When",
    "since": "Since",
    "until": "Until",
    "caller": "Caller",
    "id": "Call",
    "rollout": "Rollout",
    "arm": "Arm",
    "tests": "Test calls",
}
TESTS = {"too": "shown too", "only": "only these"}


@page(Permission.READ)
def call_list(request: HttpRequest) -> HttpResponse:
    """Calls, newest first; every filter is in the address and shown as a chip."""
    wanted = read_filter(dict(request.GET.lists()))
    before, after = (read_key(request.GET.get(name, "")) for name in ("before", "after"))
    shown = list_calls(wanted, before=before, after=after)
    views = list_views(actor_of(request))
    view = _open_view(views, request.GET.get("view", ""), wanted)
    columns, choices = columns_of(actor_of(request)), agents()
    context = {
        "views": views,
        "view_groups": [
            ("Yours", [each for each in views if each.owner_id == request.user.pk]),
            ("Shared by others", [each for each in views if each.owner_id != request.user.pk]),
        ],
        "view": view,
        "may_change_view": view is not None and may_change(view, actor_of(request)),
        "and_view": f"&view={view.pk}" if view is not None else "",
        "columns": [(name, words, name in columns) for name, words in COLUMNS.items()],
        "shows": dict.fromkeys(columns, True),
        "wanted": wanted,
        "chips": chips_of(wanted, choices),
        "page": shown,
        "is_first_page": before is None and after is None,
        "count": count_calls(wanted),
        "agents": choices,
        "versions": version_choices(wanted.agent, wanted.versions),
        "spans": spans_of(wanted.days),
        "since_kind": field_kind(wanted.since),
        "until_kind": field_kind(wanted.until),
        "outcomes": OUTCOMES.items(),
        "sentiments": SENTIMENTS,
        "arms": ARMS.items(),
    }
    return fragment_or_page(request, "monitoring/fragments/call_table.html", context, page="monitoring/call_list.html")


@page(Permission.READ)
def call_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The calls of a filter as CSV, streamed; full callers for whoever may listen."""
    wanted = read_filter(dict(request.GET.lists()))
    response = StreamingHttpResponse(
        export_calls(wanted=wanted, actor=actor_of(request)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="calls-{now():%Y-%m-%d-%H%M}.csv"'
    return response


@page(Permission.READ)
def call_detail(request: HttpRequest, sender_id: str) -> HttpResponse:
    """One call; what is personal in it only for whoever may listen."""
    call = find_call(sender_id) if "\x00" not in sender_id else None
    if call is None:
        raise Http404(f"There is no call “{sender_id[:100]}”.")
    actor = actor_of(request)
    detail = read_call(call=call, may_listen=actor.allows(Permission.LISTEN), actor=actor)
    # Suites only for whoever may both read what was said and write cases.
    suites = find_suites(agent=detail.agent) if detail.turns and actor.allows(Permission.EDIT) else ()
    context = {"detail": detail, "call": call, "title": "Call", "suites": suites}
    return fragment_or_page(request, "monitoring/fragments/call.html", context, page="monitoring/call_detail.html")


def chips_of(wanted: CallFilter, agents: list[Agent]) -> list[dict[str, str]]:
    """Each condition with its words, and the address of the list without it."""
    names = {each.slug: each.name for each in agents}
    words = {"agent": names, "outcome": OUTCOMES, "tests": TESTS, "arm": ARMS, "days": dict(spans_of(wanted.days))}
    return chips(
        wanted.pairs,
        wanted.problems,
        labels=LABELS,
        words=words,
        without=lambda name, value: wanted.without(name, value).address,
    )


def _open_view(views: list[SavedView], number: str, wanted: CallFilter) -> SavedView | None:
    """The saved view that the address names, else the one whose filters these are."""
    named = next((view for view in views if str(view.pk) == number), None)
    return named or next((view for view in views if view.query == wanted.address), None)
