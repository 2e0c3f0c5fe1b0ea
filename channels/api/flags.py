"""Feature flags over the API: the same services as the pages, callers in clear only for tokens that may see them."""

import re
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router
from pydantic import Field

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ, ROUTE, actor_of, token_of
from agentversions.api.problems import DigestNeeded
from agentversions.api.schemas import WithReason
from agentversions.core.paths import MISSING
from agentversions.core.roles import Permission
from agentversions.models import User
from channels.models import Flag
from channels.services.channels import find_channel
from channels.services.flag_explain import explain_flag
from channels.services.flag_history import list_history
from channels.services.flag_list import WantedFlags, list_flags
from channels.services.flags import archive_flag, create_flag, find_flag, find_revision, newest_revision, save_flag
from channels.services.flags import switch_flag as switch

from .flag_values import flag_answer, flag_value
from .schemas_flags import (
    FlagAnswer,
    FlagBody,
    FlagExplained,
    FlagHistoryAnswer,
    FlagList,
    FlagRevisionAnswer,
    FlagRuleSaid,
    FlagSwitch,
    NewFlag,
)

router = Router()
ONE = "/flags/{key}"
Size = Annotated[int, Field(ge=1, le=200)]
Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Caller = Annotated[str, Field(max_length=1024)]
Number = Annotated[int, Field(ge=1, le=2**31)]
_TAG = re.compile(r'\s*(?:W/)?"?([0-9]{1,9})"?\s*')


@router.get("/flags", auth=READ, response=FlagList, url_name="flags", summary="List flags")
def list_all(
    request: HttpRequest,
    search: Word = "",
    agent: Word = "",
    type: Word = "",  # noqa: A002
    state: Word = "",
    after: Word = "",
    limit: Size = 50,
) -> FlagList:
    """By key; `state` is on, off or archived, without it everything that is not archived."""
    wanted = WantedFlags(text=search, agent=agent, type=type, state=state)
    found = [flag for flag in list_flags(wanted) if flag.value.key > after]
    items = [flag_answer(flag.revision, _reader(request)) for flag in found[:limit]]
    return FlagList(items=items, next=next_page(request, after=items[-1].key) if len(found) > limit else None)


@router.post("/flags", auth=ROUTE, response={201: FlagAnswer}, url_name="flags", summary="Make a flag")
def create(request: HttpRequest, response: HttpResponse, body: NewFlag) -> FlagAnswer:
    """It acts at once, unless it gives everybody what they have."""
    written = flag_value(body, None, key=body.key, kind=body.type, agent=body.agent, may_listen=_may_listen(request))
    revision = create_flag(
        value=written.value,
        description=body.description or "",
        callers=written.callers,
        reason=body.reason,
        actor=actor_of(request),
    )
    response["Location"] = reverse("api:flag", args=[revision.flag.key])
    return _answer(request, response, revision.flag)


@router.get(ONE, auth=READ, response=FlagAnswer, url_name="flag", summary="Read a flag")
def read(request: HttpRequest, response: HttpResponse, key: str) -> FlagAnswer:
    """As it stands now, with its revision as ETag."""
    return _answer(request, response, find_flag(key))


@router.put(ONE, auth=ROUTE, response=FlagAnswer, url_name="flag", summary="Change a flag")
def change(request: HttpRequest, response: HttpResponse, key: str, body: FlagBody) -> FlagAnswer:
    """If-Match names the revision that you saw; 412 when somebody saved another meanwhile. An archived flag is back."""
    flag = find_flag(key)
    seen = _revision_seen(request)
    base = (find_revision(flag, seen) if seen is not None else None) or newest_revision(flag)
    before = base.value
    written = flag_value(body, before, key=key, kind=before.type, agent=before.agent, may_listen=_may_listen(request))
    save_flag(
        flag=flag,
        value=written.value,
        description=body.description,
        callers=written.callers,
        seen=seen,
        reason=body.reason,
        actor=actor_of(request),
    )
    return _answer(request, response, flag)


@router.post(f"{ONE}/switch", auth=ROUTE, response=FlagAnswer, url_name="flag_switch", summary="Switch a flag")
def switch_flag(request: HttpRequest, response: HttpResponse, key: str, body: FlagSwitch) -> FlagAnswer:
    """The kill switch: off for everybody at once, also while routes are frozen; or on again. It needs a reason."""
    flag = find_flag(key)
    switch(flag=flag, is_enabled=body.is_enabled, reason=body.reason, actor=actor_of(request))
    return _answer(request, response, flag)


@router.post(f"{ONE}/archive", auth=ROUTE, response=FlagAnswer, url_name="flag_archive", summary="Archive a flag")
def archive(request: HttpRequest, response: HttpResponse, key: str, body: WithReason) -> FlagAnswer:
    """It acts on nothing, and code that asks for it is told that there is none. Its key stays taken."""
    flag = find_flag(key)
    archive_flag(flag=flag, reason=body.reason, actor=actor_of(request))
    return _answer(request, response, flag)


@router.post(
    f"{ONE}/unarchive", auth=ROUTE, response=FlagAnswer, url_name="flag_unarchive", summary="Bring a flag back"
)
def unarchive(request: HttpRequest, response: HttpResponse, key: str, body: WithReason) -> FlagAnswer:
    """It acts again as it did."""
    flag = find_flag(key)
    archive_flag(flag=flag, is_archived=False, reason=body.reason, actor=actor_of(request))
    return _answer(request, response, flag)


@router.get(
    f"{ONE}/history", auth=READ, response=FlagHistoryAnswer, url_name="flag_history", summary="Read its history"
)
def history(request: HttpRequest, key: str, below: Number | None = None) -> FlagHistoryAnswer:
    """Every revision with who, why and what it changed, the newest first."""
    found = list_history(find_flag(key), below=below)
    items = [
        FlagRevisionAnswer(
            revision=each.revision.number,
            changes=list(each.words),
            is_archived=each.revision.is_archived,
            saved_at=each.revision.created_at,
            saved_by=each.revision.created_by.username,
            reason=each.revision.reason,
        )
        for each in found.changes
    ]
    return FlagHistoryAnswer(items=items, next=next_page(request, below=str(found.older)) if found.older else None)


@router.get(f"{ONE}/explain", auth=READ, response=FlagExplained, url_name="flag_explain", summary="Explain a flag")
def explain_call(
    request: HttpRequest,
    key: str,
    caller: Caller | None = None,
    channel: Word = "",
    call_id: Caller | None = None,
    at: datetime | None = None,
) -> FlagExplained:
    """What the flag gives this call, rule by rule, by the code that answers calls. Nothing is recorded."""
    newest = newest_revision(find_flag(key))
    number = find_channel(channel) if channel else None
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(number.time_zone if number else "UTC"))
    said = explain_flag(
        newest.value, channel=number, caller=caller, call_id=call_id, at=at, is_archived=newest.is_archived
    )
    given = said.evaluation
    return FlagExplained(
        facts=list(said.facts),
        rules=[
            FlagRuleSaid(rule=each.answer.rule, outcome=each.answer.outcome.value, words=each.answer.words)
            for each in said.rules
        ],
        variant=given.variant,
        value=None if given.value is MISSING else given.value,
        reason=given.reason,
        rule=given.rule,
        bucket=given.bucket,
        error=given.words or None,
        effect=said.effect,
        effective_digest=said.effective or None,
    )


def _answer(request: HttpRequest, response: HttpResponse, flag: Flag) -> FlagAnswer:
    newest = newest_revision(flag)
    response["ETag"] = f'"{newest.number}"'
    return flag_answer(newest, _reader(request), is_alone=True)


def _may_listen(request: HttpRequest) -> bool:
    return token_of(request).allows(Permission.LISTEN)


def _reader(request: HttpRequest) -> User | None:
    """The person for whom callers are shown in clear; None for a token that may not see them."""
    return actor_of(request) if _may_listen(request) else None


def _revision_seen(request: HttpRequest) -> int | None:
    """The revision in If-Match; None for `*`. Raises DigestNeeded without one."""
    header = request.headers.get("If-Match", "").strip()
    if header == "*":
        return None
    match = _TAG.fullmatch(header)
    if match is None:
        raise DigestNeeded(
            "Send If-Match with the revision that GET …/flags/{key} gave in its ETag, so that nobody else's save is "
            "overwritten; `If-Match: *` overwrites on purpose."
        )
    return int(match[1])
