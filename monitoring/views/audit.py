"""The audit log: its list, its exports, and one entry."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.timezone import now

from agentversions.core.roles import Permission
from agentversions.models import User
from agentversions.services.sealing import MOST_WAITING
from agentversions.views.access import actor_of, page
from config.htmx import fragment_or_page
from monitoring.core.audit_filter import NOBODY, ORIGINS, AuditFilter, read_audit_filter
from monitoring.core.audit_words import MOST_FIELDS, say_difference
from monitoring.core.page_key import read_key
from monitoring.services.audit_export import export_csv, export_json_lines
from monitoring.services.audit_list import AuditRow, chain_state, find_entry, kinds_and_actions, list_entries, people

from .audit_links import LABELS as KINDS
from .audit_links import named_links, subject_address
from .filters import chips, field_kind, spans_of

LABELS = {
    "who": "Who",
    "action": "Action",
    "kind": "Kind",
    "subject": "Thing",
    "origin": "From",
    "address": "IP address",
    "words": "Why",
    "days": "When",
    "since": "Since",
    "until": "Until",
}
EXPORTS = {"csv": (export_csv, "text/csv; charset=utf-8"), "jsonl": (export_json_lines, "application/x-ndjson")}
LATE_SECONDS = 60


@page(Permission.READ)
def audit_list(request: HttpRequest) -> HttpResponse:
    """Every change, newest first; every filter is in the address and shown as a chip."""
    wanted = read_audit_filter(dict(request.GET.lists()))
    before, after = (read_key(request.GET.get(name, "")) for name in ("before", "after"))
    shown = list_entries(wanted, before=before, after=after)
    (kinds, actions), persons, state = kinds_and_actions(), people(), chain_state()
    context = {
        "wanted": wanted,
        "page": shown,
        "rows": [_row(row, actor_of(request)) for row in shown.rows],
        "chips": _chips(wanted, persons),
        "persons": _with_chosen([(each.username, str(each)) for each in persons], wanted.who, NOBODY),
        "nobody": NOBODY,
        "kinds": _with_chosen([(each, KINDS.get(each, each).capitalize()) for each in kinds], wanted.kind),
        "actions": _with_chosen([(each, each.capitalize()) for each in actions], wanted.action),
        "origins": _with_chosen(list(ORIGINS.items()), wanted.origin),
        "spans": spans_of(wanted.days),
        "since_kind": field_kind(wanted.since),
        "until_kind": field_kind(wanted.until),
        "state": state,
        "is_late": state.tail.age is not None and state.tail.age.total_seconds() > LATE_SECONDS,
        "most_waiting": MOST_WAITING,
    }
    return fragment_or_page(
        request, "monitoring/fragments/audit_table.html", context, page="monitoring/audit_list.html"
    )


@page(Permission.READ)
def audit_export(request: HttpRequest, shape: str) -> HttpResponse | StreamingHttpResponse:
    """The entries of a filter as CSV or as JSON lines, streamed."""
    wanted = read_audit_filter(dict(request.GET.lists()))
    if shape not in EXPORTS:
        raise Http404(f"There is no export “{shape}”. Choose {' or '.join(EXPORTS)}.")
    if wanted.problems:
        words = " ".join(sentence for _, sentence in wanted.problems)
        return HttpResponse(words, status=422, content_type="text/plain; charset=utf-8")
    export, content_type = EXPORTS[shape]
    response = StreamingHttpResponse(export(wanted), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="audit-{now():%Y-%m-%d-%H%M}.{shape}"'
    return response


@page(Permission.READ)
def audit_detail(request: HttpRequest, number: int) -> HttpResponse:
    """One entry with everything that stands in it, and its seal."""
    found = find_entry(number) if number < 2**63 else None
    if found is None:
        raise Http404(f"There is no entry {number} in the audit log.")
    context = {**_row(found, actor_of(request)), "title": f"Audit entry {number}"}
    return fragment_or_page(
        request, "monitoring/fragments/audit_entry.html", context, page="monitoring/audit_detail.html"
    )


def _row(row: AuditRow, reader: User) -> dict[str, Any]:
    entry = row.entry
    fields = say_difference(entry.before, entry.after)
    return {
        "entry": entry,
        "seal": row.seal,
        "is_sound": row.is_sound,
        "address": subject_address(entry, reader),
        "kind": KINDS.get(entry.subject_kind, entry.subject_kind),
        "links": named_links(entry),
        "fields": fields[:MOST_FIELDS],
        "more_fields": len(fields) - MOST_FIELDS,
        "origin": ORIGINS.get(entry.origin, entry.origin),
    }


def _chips(wanted: AuditFilter, persons: list[User]) -> list[dict[str, str]]:
    """Each condition with its words, and the address of the list without it."""
    words = {
        "who": {NOBODY: "The product itself", **{each.username: str(each) for each in persons}},
        "kind": {wanted.kind: KINDS.get(wanted.kind, wanted.kind).capitalize()},
        "action": {wanted.action: wanted.action.capitalize()},
        "origin": ORIGINS,
        "days": dict(spans_of(wanted.days)),
    }
    return chips(
        wanted.pairs,
        wanted.problems,
        labels=LABELS,
        words=words,
        without=lambda name, value: wanted.without(name).query,
    )


def _with_chosen(choices: list[tuple[str, str]], chosen: str, *known: str) -> list[tuple[str, str]]:
    """The choices with the one of the address, also where nothing has it: a form drops no filter."""
    is_offered = not chosen or chosen in known or any(value == chosen for value, _ in choices)
    return choices if is_offered else [*choices, (chosen, chosen)]
