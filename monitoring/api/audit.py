"""The audit log over the API: read by filter."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ
from agentversions.api.problems import problem
from agentversions.api.schemas import Answer
from monitoring.core.audit_filter import read_audit_filter
from monitoring.core.page_key import read_key
from monitoring.services.audit_list import AuditRow, list_entries

from .lists import Word, refuse_list

router = Router()


class SealAnswer(Answer):
    """The place of an entry in the chain, and whether the entry still is what was sealed."""

    position: int
    hash: str
    previous: str
    is_sound: bool


class AuditAnswer(Answer):
    """An entry. `who` is null for what the product did itself, `actor_name` the user name that they had then; `seal` is
    null while the entry waits for it."""

    id: int
    at: datetime
    who: str | None
    actor_name: str
    action: str
    subject_kind: str
    subject: str
    reason: str
    before: Any
    after: Any
    origin: str
    origin_name: str
    client_address: str | None
    seal: SealAnswer | None


class AuditList(Answer):
    """Entries, newest first; `next` is the address of the older ones, null at the end."""

    items: list[AuditAnswer]
    next: str | None


@router.get("/audit", auth=READ, response=AuditList, url_name="audit", summary="List audit entries")
def list_audit(
    request: HttpRequest,
    who: Word = "",
    action: Word = "",
    kind: Word = "",
    subject: Word = "",
    origin: Word = "",
    address: Word = "",
    words: Word = "",
    days: Word = "",
    since: Word = "",
    until: Word = "",
    before: Word = "",
) -> AuditList | HttpResponse:
    """By the filters of the page: `who` is a user name or `(nobody)`, `words` stand in the reason; fifty at a time."""
    wanted = read_audit_filter(dict(request.GET.lists()))
    if refused := refuse_list(wanted.problems, before):
        return refused
    page = list_entries(wanted, before=read_key(before))
    if page.problem:
        return problem("invalid", page.problem)
    following = next_page(request, before=str(page.older)) if page.older else None
    return AuditList(items=[_answer(row) for row in page.rows], next=following)


def _answer(row: AuditRow) -> AuditAnswer:
    entry, seal = row.entry, row.seal
    names = (
        *("id", "at", "action", "subject_kind", "subject", "reason", "before", "after", "origin", "origin_name"),
        "actor_name",
    )
    return AuditAnswer(
        who=entry.actor.username if entry.actor else None,
        client_address=entry.client_address,
        seal=SealAnswer(**vars(seal)) if seal is not None else None,
        **{name: getattr(entry, name) for name in names},
    )
