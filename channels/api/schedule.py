"""Planned changes and freeze windows over the API."""

from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router
from pydantic import Field

from agentversions.api.addresses import next_page
from agentversions.api.authentication import ADMINISTER, READ, ROUTE, actor_of
from agentversions.api.finding import find_agent
from agentversions.models import FreezeWindow
from agentversions.services.freezes import create_freeze, lift_freeze
from agentversions.services.publishing import get_version
from channels.core.routes import RoutePlan
from channels.models import ScheduledChange, ScheduledStep
from channels.services.channels import find_channel, read_time_zone
from channels.services.errors import RouteRefused, ScheduleRefused
from channels.services.schedule import cancel_scheduled, schedule_live, schedule_route
from channels.services.schedule_list import as_planned, find_scheduled, list_changes

from .answers import route_answer
from .reading import plan_of
from .schemas_schedule import (
    FreezeAnswer,
    FreezeList,
    NewFreeze,
    NewScheduledChange,
    ScheduledAnswer,
    ScheduledList,
    StepAnswer,
)

router = Router()
Size = Annotated[int, Field(ge=1, le=200)]
Place = Annotated[int, Field(ge=1, le=2**53)]


@router.get("/schedule", auth=READ, response=ScheduledList, url_name="schedule", summary="List planned changes")
def list_all(request: HttpRequest, below: Place | None = None, limit: Size = 50) -> ScheduledList:
    """The newest plans first, with what became of them; `next` goes on."""
    rows = list(list_changes(below)[: limit + 1])
    items = [_answer(change) for change in rows[:limit]]
    following = next_page(request, below=str(items[-1].id)) if len(rows) > limit else None
    return ScheduledList(items=items, next=following)


@router.post("/schedule", auth=ROUTE, response={201: ScheduledAnswer}, url_name="schedule", summary="Plan a change")
def plan(request: HttpRequest, response: HttpResponse, body: NewScheduledChange) -> ScheduledAnswer:
    """Either `live` (an agent's version), or `channels` with `route`. Moments carry their offset (ISO 8601)."""
    actor = actor_of(request)
    moments: dict[str, Any] = body.model_dump(include={"at", "back_at", "time_zone", "reason"})
    if (body.live is None) == (body.route is None):
        raise ScheduleRefused("Send either “live”, or “channels” with “route”.", "live")
    if body.live is not None:
        version = get_version(find_agent(body.live.agent), body.live.version)
        change = schedule_live(version=version, **moments, actor=actor)
    else:
        channels = [find_channel(address) for address in dict.fromkeys(body.channels)]
        change = schedule_route(channels=channels, plan=_plan(body), **moments, actor=actor)
    response["Location"] = reverse("api:scheduled_change", args=[change.pk])
    return _answer(_find(change.pk))


@router.get(
    "/schedule/{number}", auth=READ, response=ScheduledAnswer, url_name="scheduled_change", summary="Read one plan"
)
def read(request: HttpRequest, number: Place) -> ScheduledAnswer:
    """Its moments, and what became of each."""
    return _answer(_find(number))


@router.post(
    "/schedule/{number}/cancel", auth=ROUTE, response=ScheduledAnswer, url_name="scheduled_cancel", summary="Cancel"
)
def cancel(request: HttpRequest, number: Place) -> ScheduledAnswer:
    """Calls off what has not happened yet: the change, or the return of one that was made."""
    cancel_scheduled(change=_find(number), actor=actor_of(request))
    return _answer(_find(number))


@router.get("/freezes", auth=READ, response=FreezeList, url_name="freezes", summary="List freeze windows")
def freezes(request: HttpRequest) -> FreezeList:
    """The latest two hundred."""
    rows = FreezeWindow.objects.select_related("created_by")[:200]
    return FreezeList(items=[_freeze(row) for row in rows])


@router.post("/freezes", auth=ADMINISTER, response={201: FreezeAnswer}, url_name="freezes", summary="Freeze routes")
def freeze(request: HttpRequest, body: NewFreeze) -> FreezeAnswer:
    """From a moment to another only an admin with a reason changes what answers."""
    zone = read_time_zone(body.time_zone)
    made = create_freeze(
        occasion=body.occasion,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        time_zone=zone,
        actor=actor_of(request),
    )
    return _freeze(made)


@router.post(
    "/freezes/{number}/lift", auth=ADMINISTER, response=FreezeAnswer, url_name="freeze_lift", summary="Lift a freeze"
)
def lift(request: HttpRequest, number: Place) -> FreezeAnswer:
    """Ends a window now, or calls off one that has not begun."""
    found = FreezeWindow.objects.filter(pk=number).first()
    if found is None:
        raise Http404("There is no such freeze window.")
    return _freeze(lift_freeze(freeze=found, actor=actor_of(request)))


def _plan(body: NewScheduledChange) -> RoutePlan:
    if body.route is None:
        raise RouteRefused([(None, "Send “route”: an agent with “answers”, or “variants”.")])
    return plan_of(body.route, None)


def _find(number: int) -> ScheduledChange:
    change = find_scheduled(number)
    if change is None:
        raise Http404("There is no such planned change.")
    return change


def _answer(change: ScheduledChange) -> ScheduledAnswer:
    planned = as_planned([change])[0]
    state: Any = planned.state
    return ScheduledAnswer(
        id=change.pk,
        summary=change.summary,
        state=state,
        agent=change.version.agent.slug if change.version else None,
        version=change.version.number if change.version else None,
        channels=list(change.items.order_by("channel__address").values_list("channel__address", flat=True)),
        route=route_answer(change.route.digest, change.route.plan) if change.route else None,
        at=change.at,
        back_at=change.back_at,
        time_zone=change.time_zone,
        reason=change.reason,
        planned_at=change.created_at,
        planned_by=change.created_by.username,
        steps=[_step(step) for step in planned.steps],
    )


def _step(row: ScheduledStep) -> StepAnswer:
    # Both are choices of the model.
    step: Any = row.step
    outcome: Any = row.outcome
    return StepAnswer(step=step, outcome=outcome, words=row.words, at=row.at, by=row.by.username if row.by else None)


def _freeze(row: FreezeWindow) -> FreezeAnswer:
    return FreezeAnswer(
        id=row.pk,
        occasion=row.occasion,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        made_by=row.created_by.username,
        lifted_at=row.lifted_at,
    )
