"""The fleet board: what answers every number, exceptions first; many numbers changed at once, and taken back."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name

from agentversions.core.roles import Permission
from agentversions.services.errors import Refused
from agentversions.views.access import actor_of, page
from channels.core.local_times import NotAMoment, read_moment
from channels.core.routes import RoutePlan, single
from channels.forms.routes import Row
from channels.forms.schedule import LaterForm
from channels.models import Route, RouteBatch
from channels.services.batches import apply_moves, plan_moves, plan_take_back
from channels.services.choices import agents
from channels.services.errors import ScheduleRefused
from channels.services.fleet import chosen_channels, count_missed, list_fleet
from channels.services.moves import Move, digest_of_moves, show_moves
from channels.services.schedule import schedule_route
from config.htmx import fragment_or_page

from .schedule import planned

RECENT = 5
PER_PAGE = 200
FRAGMENTS = "channels/fragments"


@page(Permission.READ)
def fleet_board(request: HttpRequest) -> HttpResponse:
    """Every route that answers, with how many numbers it has; what deserves a look comes first."""
    context = {
        "fleet": list_fleet(),
        "batches": RouteBatch.objects.select_related("created_by").prefetch_related("undone_by")[:RECENT],
        "missed": count_missed(days=1),
    }
    return fragment_or_page(request, f"{FRAGMENTS}/fleet_board.html", context, page="channels/fleet_board.html")


@page(Permission.READ)
def fleet_group(request: HttpRequest, digest: str) -> HttpResponse:
    """The numbers of one route, to tick some of them."""
    route = Route.objects.filter(digest=digest).first()
    if route is None:
        raise Http404("There is no such route.")
    numbers = Paginator(route.channels.order_by("address"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "channels/fleet_group.html", {"route": route, "numbers": numbers})


@page(Permission.ROUTE, "GET", "POST")
def fleet_repin(request: HttpRequest) -> HttpResponse:
    """Numbers that were ticked get another route: a dry run with before and after first, then exactly that.

    The ticks come by POST: hundreds of numbers do not fit into an address.
    """
    data = request.POST if request.method == "POST" else request.GET
    routes, addresses = data.getlist("route"), data.getlist("channel")
    row = Row(agent=_text(data.get("agent", "")), answers=_text(data.get("answers", "")) or "draft")
    channels = chosen_channels(routes, addresses)
    context: dict[str, Any] = {
        "routes": routes,
        "addresses": addresses,
        "count": channels.count(),
        "row": row,
        "agents": agents(),
        "reason": _text(data.get("reason", "")),
        "later": LaterForm(initial={"time_zone": _common_zone(channels)}),
    }
    if request.method != "POST" or "agent" not in data:
        return render(request, "channels/fleet_repin.html", context)
    try:
        moves = plan_moves(channels, single(row.target()))
        if "confirm" in data:
            count = f"{len(moves):,} number{'' if len(moves) == 1 else 's'}"
            return _apply(request, moves, f"{count} to {row.target()}")
        if "later" in data:
            return _plan(request, {**context, **_dry_run(moves)}, single(row.target()))
    except (Refused, ValueError) as refusal:
        return render(request, "channels/fleet_repin.html", {**context, "refusal": str(refusal)}, status=422)
    return render(request, "channels/fleet_repin.html", {**context, **_dry_run(moves)})


@page(Permission.ROUTE, "GET", "POST")
def fleet_take_back(request: HttpRequest) -> HttpResponse:
    """Takes back everything that was changed since a moment, after a dry run."""
    data = request.POST if request.method == "POST" else request.GET
    text, zone = _text(data.get("since", "")), get_current_timezone_name()
    context: dict[str, Any] = {"since": text, "reason": _text(data.get("reason", "")), "zone": zone}
    if not text:
        return render(request, "channels/fleet_take_back.html", context)
    try:
        since = read_moment(text, zone)
    except NotAMoment as error:
        return render(request, "channels/fleet_take_back.html", {**context, "unreadable": str(error)}, status=422)
    try:
        moves = plan_take_back(since)
        if request.method == "POST":
            return _apply(request, moves, f"Everything changed since {since:%-d %b %Y, %H:%M} taken back")
    except Refused as refusal:
        return render(request, "channels/fleet_take_back.html", {**context, "refusal": str(refusal)}, status=422)
    return render(request, "channels/fleet_take_back.html", {**context, **_dry_run(moves)})


def _plan(request: HttpRequest, context: dict[str, Any], plan: RoutePlan) -> HttpResponse:
    """The same change at a moment. Raises RouteRefused, RoutesFrozen."""
    later = LaterForm(request.POST)
    if later.is_valid():
        channels = list(chosen_channels(context["routes"], context["addresses"]).order_by("address"))
        try:
            change = schedule_route(channels=channels, plan=plan, **later.cleaned_data, actor=actor_of(request))
        except ScheduleRefused as refusal:
            later.add_error(refusal.field if refusal.field in later.fields else None, str(refusal))
        else:
            return planned(request, change, reverse("channels:schedule_detail", args=[change.pk]))
    return render(request, "channels/fleet_repin.html", {**context, "later": later}, status=422)


def _dry_run(moves: Sequence[Move]) -> dict[str, Any]:
    return {"moves": show_moves(moves), "moved": len(moves), "seen": digest_of_moves(moves), "is_planned": True}


def _apply(request: HttpRequest, moves: Sequence[Move], summary: str) -> HttpResponse:
    batch = apply_moves(
        moves=moves,
        summary=summary,
        reason=_text(request.POST.get("reason", "")),
        seen=request.POST.get("seen", ""),
        actor=actor_of(request),
    )
    undo = reverse("channels:batch_undo", args=[batch.pk])
    messages.success(request, f"{batch.summary}.", extra_tags=f"undo:{undo}")
    return redirect("channels:fleet_board")


def _common_zone(channels: Any) -> str:
    """The time zone of most of these numbers."""
    zones = channels.order_by().values_list("time_zone").annotate(count=Count("pk")).order_by("-count", "time_zone")
    first = zones.first()
    return str(first[0]) if first else get_current_timezone_name()


def _text(typed: str) -> str:
    """What was typed, without NUL, which PostgreSQL refuses."""
    return typed.replace("\x00", "")[:2000]
