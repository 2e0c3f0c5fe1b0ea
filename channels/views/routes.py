"""The page of a channel: what answers it now, the form that changes it, what would answer a caller, what did."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.services.errors import RoutesFrozen
from agentversions.views.access import actor_of, page
from channels.core.local_times import NotAMoment, read_moment
from channels.forms.routes import RouteForm
from channels.forms.schedule import LaterForm
from channels.models import Channel
from channels.services.answered import answered_at
from channels.services.answers_now import answers_now
from channels.services.choices import agents
from channels.services.draft_warnings import draft_warnings
from channels.services.errors import RouteMoved, RouteRefused, ScheduleRefused
from channels.services.explain import explain, version_of
from channels.services.route_history import list_route_history
from channels.services.routes import save_route
from channels.services.schedule import schedule_route
from channels.services.schedule_list import planned_for_channel
from config.htmx import fragment_or_page, go_to

from .access import channel_or_404, page_in, text_in
from .schedule import planned

FRAGMENTS = "channels/fragments"


@page(Permission.READ, "GET", "POST", write=Permission.ROUTE)
def channel_detail(request: HttpRequest, address: str) -> HttpResponse:
    """What answers a number, with the form; a POST saves, or changes the form's lines (with scripts on or off)."""
    channel = channel_or_404(address)
    if request.method != "POST":
        return _show(request, channel, RouteForm(channel.route.plan))
    form = RouteForm(channel.route.plan, request.POST)
    step = request.POST.get("step", "save")
    if step == "later":
        return _plan(request, channel, form)
    if step != "save":
        _take_step(form, step)
        return _show(request, channel, form)
    return _save(request, channel, form)


def _take_step(form: RouteForm, step: str) -> None:
    word, _, number = step.partition(":")
    if word == "test":
        form.become_test()
    elif word == "single":
        form.is_test = False
    elif word == "add":
        form.add_row()
    elif word == "remove" and number.isdecimal():
        form.remove_row(int(number))


def _save(request: HttpRequest, channel: Channel, form: RouteForm) -> HttpResponse:
    plan = form.plan()
    if plan is None:
        return _show(request, channel, form, status=422)
    try:
        save_route(
            channel=channel,
            plan=plan,
            seen=request.POST.get("seen", ""),
            reason=form.reason,
            actor=actor_of(request),
        )
    except RouteMoved as moved:
        return _show(request, moved.channel, form, status=409, moved=moved)
    except RouteRefused as refusal:
        form.refuse(refusal)
        return _show(request, channel, form, status=422)
    except RoutesFrozen as refusal:
        form.errors.append(str(refusal))
        return _show(request, channel, form, status=422)
    return go_to(request, reverse("channels:channel_detail", args=[channel.address]))


def _plan(request: HttpRequest, channel: Channel, form: RouteForm) -> HttpResponse:
    """The same choice at a moment in the channel's time zone."""
    later = LaterForm({**request.POST.dict(), "time_zone": channel.time_zone})
    is_valid, plan = later.is_valid(), form.plan()
    if plan is not None and is_valid:
        try:
            change = schedule_route(channels=[channel], plan=plan, **later.cleaned_data, actor=actor_of(request))
        except ScheduleRefused as refusal:
            later.add_error(refusal.field, str(refusal))
        except RouteRefused as refusal:
            form.refuse(refusal)
        except RoutesFrozen as refusal:
            form.errors.append(str(refusal))
        else:
            return planned(request, change, reverse("channels:channel_detail", args=[channel.address]))
    return _show(request, channel, form, status=422, later=later)


def _show(
    request: HttpRequest,
    channel: Channel,
    form: RouteForm,
    *,
    status: int = 200,
    moved: RouteMoved | None = None,
    later: LaterForm | None = None,
) -> HttpResponse:
    context = {
        "channel": channel,
        "form": form,
        "moved": moved,
        # A refused or changed form goes on from what its operator saw; only a conflict that was shown moves that on.
        "seen": channel.route_id if moved else request.POST.get("seen", channel.route_id),
        "now": answers_now(channel),
        "later": later or LaterForm(initial=request.POST.dict()),
        "planned": planned_for_channel(channel),
        "agents": agents(),
        "warnings": draft_warnings(channel.route.plan),
        "history": list_route_history(channel),
    }
    return fragment_or_page(
        request, f"{FRAGMENTS}/route_form.html", context, page="channels/channel_detail.html", status=status
    )


@page(Permission.READ)
def channel_explain(request: HttpRequest, address: str) -> HttpResponse:
    """What a caller would get, in steps; nothing is recorded."""
    channel = channel_or_404(address)
    caller, call_id = text_in(request, "caller", 1024), text_in(request, "call_id", 256)
    said = explain(channel, caller=caller or None, call_id=call_id or None)
    context = {
        "channel": channel,
        "said": said,
        "version": version_of(said.answer) if said.answer else None,
        "caller": caller,
        "call_id": call_id,
        "title": f"What would this caller get? {channel}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/channel_explain.html", context)


@page(Permission.READ)
def channel_answered(request: HttpRequest, address: str) -> HttpResponse:
    """What answered at a moment, given in the channel's own time zone."""
    channel = channel_or_404(address)
    text, caller = text_in(request, "at"), text_in(request, "caller", 1024)
    try:
        moment, unreadable = (read_moment(text, channel.time_zone) if text else None), ""
    except NotAMoment as error:
        moment, unreadable = None, str(error)
    context = {
        "channel": channel,
        "at": text,
        "caller": caller,
        "unreadable": unreadable,
        "said": answered_at(channel, moment, caller=caller or None) if moment else None,
        "title": f"Who answered {channel}?",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/channel_answered.html", context)


@page(Permission.READ)
def channel_history(request: HttpRequest, address: str) -> HttpResponse:
    """What answered a channel over time, newest first."""
    channel = channel_or_404(address)
    context = {
        "channel": channel,
        "history": list_route_history(channel, page=page_in(request)),
        "title": f"What answered {channel}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/route_history.html", context)
