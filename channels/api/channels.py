"""Channels over the API: adding, listing, changing; what answers, what would, what did."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router
from pydantic import Field

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ, ROUTE, actor_of
from agentversions.api.conditions import etag, require_condition
from channels.core.routes import single
from channels.services.answered import answered_at
from channels.services.channel_list import ANSWERS, Wanted, narrow
from channels.services.channels import change_channel, create_channel, find_channel
from channels.services.explain import explain, load_route
from channels.services.flags_in_force import load_flags
from channels.services.routes import save_route

from .answers import answered_answer, channel_answer, explained_answer, route_answer
from .plans import plan_answer
from .reading import plan_of, target_of
from .schemas import (
    AnsweredAnswer,
    ChannelAnswer,
    ChannelList,
    ChannelPatch,
    ExplainedAnswer,
    NewChannel,
    NewRoute,
    PlanAnswer,
    RouteAnswer,
)

router = Router()
ONE = "/channels/{address}"
Size = Annotated[int, Field(ge=1, le=500)]
Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Caller = Annotated[str, Field(max_length=1024)]


@router.post("/channels", auth=ROUTE, response={201: ChannelAnswer}, url_name="channels", summary="Add a channel")
def create(request: HttpRequest, response: HttpResponse, body: NewChannel) -> ChannelAnswer:
    """A phone number or a chat channel, with what answers it."""
    channel = create_channel(
        kind=body.kind,
        address=body.address,
        region=body.region,
        label=body.label,
        time_zone=body.time_zone,
        plan=single(target_of(body.agent, body.answers)),
        reason=body.reason or "Added",
        actor=actor_of(request),
    )
    response["Location"] = reverse("api:channel", args=[channel.address])
    return channel_answer(channel)


@router.get("/channels", auth=READ, response=ChannelList, url_name="channels", summary="List channels")
def list_all(
    request: HttpRequest,
    search: Word = "",
    agent: Word = "",
    answers: Word = "",
    after: Word = "",
    limit: Size = 100,
) -> ChannelList:
    """By address; `search` takes parts of numbers and labels, `answers` is draft, live, version or test."""
    wanted = Wanted(text=search, agent=agent, answers=answers if answers in ANSWERS else "")
    found = narrow(wanted).filter(address__gt=after) if after else narrow(wanted)
    rows = list(found.with_route().order_by("address")[: limit + 1])
    items = [channel_answer(channel) for channel in rows[:limit]]
    return ChannelList(items=items, next=next_page(request, after=items[-1].address) if len(rows) > limit else None)


@router.get(ONE, auth=READ, response=ChannelAnswer, url_name="channel", summary="Read a channel")
def read(request: HttpRequest, address: str) -> ChannelAnswer:
    """The number may be written in any international form."""
    return channel_answer(find_channel(address))


@router.patch(ONE, auth=ROUTE, response=ChannelAnswer, url_name="channel", summary="Change a channel")
def change(request: HttpRequest, address: str, body: ChannelPatch) -> ChannelAnswer:
    """Its label, its time zone, on or off."""
    channel = find_channel(address)
    change_channel(channel=channel, **body.model_dump(), actor=actor_of(request))
    return channel_answer(find_channel(channel.address))


@router.get(
    f"{ONE}/route",
    auth=READ,
    response={200: RouteAnswer | AnsweredAnswer},
    url_name="channel_route",
    summary="Read what answers, or what did",
)
def read_route(
    request: HttpRequest,
    response: HttpResponse,
    address: str,
    at: datetime | None = None,
    caller: Caller | None = None,
    call_id: Caller | None = None,
) -> RouteAnswer | AnsweredAnswer:
    """Now, with the route's digest as ETag; with `at` (ISO time, else of the channel's zone) what `caller` got then."""
    channel = find_channel(address)
    if at is not None:
        moment = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(channel.time_zone))
        return answered_answer(answered_at(channel, moment, caller=caller, call_id=call_id))
    response["ETag"] = etag(channel.route_id)
    return route_answer(channel.route_id, channel.route.plan)


@router.put(f"{ONE}/route", auth=ROUTE, response=RouteAnswer, url_name="channel_route", summary="Change what answers")
def write_route(request: HttpRequest, response: HttpResponse, address: str, body: NewRoute) -> RouteAnswer:
    """An agent, or an A/B test. If-Match names the route that you saw; 412 when somebody saved another meanwhile."""
    channel = find_channel(address)
    seen = require_condition(request)
    saved = save_route(
        channel=channel,
        plan=plan_of(body, channel.route.plan),
        seen=seen,
        reason=body.reason,
        actor=actor_of(request),
    )
    response["ETag"] = etag(saved.route_id)
    return route_answer(saved.route_id, saved.route.plan)


@router.get(
    f"{ONE}/explain", auth=READ, response=ExplainedAnswer, url_name="channel_explain", summary="Explain a decision"
)
def explain_call(
    request: HttpRequest, address: str, caller: Caller | None = None, call_id: Caller | None = None
) -> ExplainedAnswer:
    """What this caller would get, step by step, by the code that answers calls. Nothing is recorded."""
    return explained_answer(explain(find_channel(address), caller=caller, call_id=call_id))


@router.get(f"{ONE}/plan", auth=READ, response=PlanAnswer, url_name="channel_plan", summary="Read a plan")
def read_plan(request: HttpRequest, address: str) -> PlanAnswer:
    """For evaluation in the platform's own process: buckets, and what each variant, rollout and flag comes to now."""
    channel = find_channel(address)
    return plan_answer(channel, load_route(channel.route_id), load_flags().of)
