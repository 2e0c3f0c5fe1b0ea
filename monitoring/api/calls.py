"""Calls over the API: read by filter."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ
from agentversions.api.schemas import Answer
from agentversions.models import Agent
from monitoring.core.call_filter import read_filter
from monitoring.core.page_key import read_key
from monitoring.models import Call
from monitoring.services.call_list import list_calls

from .lists import Word, refuse_list
from .sending import router

__all__ = ["router"]


class CallAnswer(Answer):
    """A call. `version` is 0 for the draft and null where nobody knows; callers are masked."""

    id: str
    started_at: datetime
    agent: str | None
    version: int | None
    variant: str
    number: str
    caller: str
    is_over: bool
    duration_ms: int | None
    engaged: bool | None
    transferred: bool | None
    is_error: bool | None
    evaluation: str | None
    sentiment: int | None
    ended_reason: str
    attribution: str
    is_test: bool


class CallList(Answer):
    """Calls, newest first; `next` is the address of the older ones, null at the end."""

    items: list[CallAnswer]
    next: str | None


@router.get("/calls", auth=READ, response=CallList, url_name="calls", summary="List calls")
def list_all(
    request: HttpRequest,
    agent: Word = "",
    version: Word = "",
    variant: Word = "",
    channel: Word = "",
    outcome: Word = "",
    sentiment: Word = "",
    days: Word = "",
    since: Word = "",
    until: Word = "",
    caller: Word = "",
    rollout: Word = "",
    arm: Word = "",
    tests: Word = "",
    before: Word = "",
) -> CallList | HttpResponse:
    """By the filters of the page: `version` is a number, `draft` or `unknown` and needs `agent`; fifty at a time."""
    wanted = read_filter(dict(request.GET.lists()))
    if refused := refuse_list(wanted.problems, before):
        return refused
    page = list_calls(wanted, before=read_key(before))
    slugs = dict(Agent.objects.filter(pk__in=page.agents).values_list("pk", "slug"))
    following = next_page(request, before=str(page.older)) if page.older else None
    return CallList(items=[answer(call, slugs) for call in page.calls], next=following)


def answer(call: Call, slugs: dict[int, str]) -> CallAnswer:
    """A call as lists give it; `slugs` of agents by their keys."""
    names = (
        *("started_at", "version", "variant", "is_over", "duration_ms", "engaged", "transferred", "is_error"),
        *("evaluation", "sentiment", "ended_reason", "attribution", "is_test"),
    )
    return CallAnswer(
        id=call.sender_id,
        agent=slugs.get(call.agent_id),
        number=call.channel,
        caller=call.caller_shown,
        **{name: getattr(call, name) for name in names},
    )
