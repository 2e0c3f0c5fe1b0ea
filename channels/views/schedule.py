"""Planned changes: the list, one with what became of it, calling it off, and planning a live version."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name

from agentversions.core.roles import Permission
from agentversions.services.deployments import live_version
from agentversions.services.errors import AgentArchived, RoutesFrozen
from agentversions.views.access import actor_of, page, version_or_404
from channels.core.routes import Follow
from channels.forms.schedule import LaterForm
from channels.models import Channel, ScheduledChange
from channels.services.errors import ScheduleRefused
from channels.services.followers import followers
from channels.services.schedule import cancel_scheduled, schedule_live
from channels.services.schedule_list import as_planned, find_scheduled, over, upcoming
from config.htmx import done, fragment_or_page, go_to

FRAGMENTS = "channels/fragments"
PER_PAGE = 30
NUMBERS_PER_PAGE = 200


@page(Permission.READ)
def schedule_list(request: HttpRequest) -> HttpResponse:
    """What is to come, the next first; then what is over."""
    past = Paginator(over(), PER_PAGE).get_page(request.GET.get("page"))
    context = {"upcoming": upcoming(), "past": past, "over": as_planned(past)}
    return fragment_or_page(request, f"{FRAGMENTS}/schedule_lists.html", context, page="channels/schedule_list.html")


@page(Permission.READ)
def schedule_detail(request: HttpRequest, number: int) -> HttpResponse:
    """One planned change: its numbers, its moments, what became of them."""
    change = _change_or_404(number)
    ids = change.items.order_by("pk").values_list("channel_id", flat=True)
    found = Channel.objects.with_route().filter(pk__in=ids).order_by("address")
    numbers = Paginator(found, NUMBERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"planned": as_planned([change])[0], "numbers": numbers}
    return fragment_or_page(request, f"{FRAGMENTS}/schedule_one.html", context, page="channels/schedule_detail.html")


@page(Permission.ROUTE, "POST")
def schedule_cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Calls off what has not happened yet."""
    change = _change_or_404(number)
    try:
        message = f"{change.summary}: {cancel_scheduled(change=change, actor=actor_of(request)).words}"
    except ScheduleRefused as refusal:
        message = str(refusal)
    to = reverse("channels:schedule_detail", args=[number])
    return done(request, message, to=to, event="schedule-changed")


@page(Permission.ROUTE, "GET", "POST")
def schedule_live_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Plans that a version becomes live at a moment, and what was live before returns at another."""
    version = version_or_404(slug, number)
    form = LaterForm(request.POST or None, initial={"time_zone": get_current_timezone_name()})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            change = schedule_live(version=version, **form.cleaned_data, actor=actor_of(request))
        except ScheduleRefused as error:
            form.add_error(error.field or None, str(error))
        except (AgentArchived, RoutesFrozen) as error:
            refusal = str(error)
        else:
            to = reverse("channels:schedule_detail", args=[change.pk])
            return done(request, _words(change), to=to, event="schedule-changed")
    context = {
        "agent": version.agent,
        "version": version,
        "live": live_version(version.agent),
        "followers": followers(version.agent, Follow.LIVE),
        "later": form,
        "refusal": refusal,
        "title": f"{version} of {version.agent} live later",
    }
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/schedule_live_dialog.html", context, status=status)


def planned(request: HttpRequest, change: ScheduledChange, to: str) -> HttpResponse:
    """Leads from a form to a page that says that its change is planned."""
    messages.success(request, _words(change))
    return go_to(request, to)


def _words(change: ScheduledChange) -> str:
    return f"Planned: {change.summary}. It can be cancelled until it happens."


def _change_or_404(number: int) -> ScheduledChange:
    change = find_scheduled(number)
    if change is None:
        raise Http404("There is no such planned change.")
    return change
