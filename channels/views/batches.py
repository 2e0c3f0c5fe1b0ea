"""The fleet board: what answers every number, exceptions first; many numbers changed at once, and taken back."""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import get_current_timezone

from agentversions.core.roles import Permission
from agentversions.views.access import actor_of, page
from channels.core.routes import single
from channels.forms.routes import Row
from channels.models import MissedNumber, Route, RouteBatch
from channels.services.batches import Move, apply_moves, in_words, plan_moves, plan_take_back, undo_batch
from channels.services.choices import agents
from channels.services.errors import BatchRefused, RouteRefused
from channels.services.fleet import chosen_channels, list_fleet, missed_numbers

MOST_SHOWN = 200


@page(Permission.READ)
def fleet_board(request: HttpRequest) -> HttpResponse:
    """Every route that answers, with how many numbers it has; what deserves a look comes first."""
    batches = RouteBatch.objects.select_related("created_by").prefetch_related("undone_by")[:10]
    context = {"groups": list_fleet(), "batches": batches, "missed": missed_numbers(days=1)}
    return render(request, "channels/fleet_board.html", context)


@page(Permission.READ)
def fleet_group(request: HttpRequest, digest: str) -> HttpResponse:
    """The numbers of one route, to tick some of them."""
    route = Route.objects.filter(digest=digest).first()
    if route is None:
        raise Http404("There is no such route.")
    numbers = Paginator(route.channels.order_by("address"), MOST_SHOWN).get_page(request.GET.get("page"))
    return render(request, "channels/fleet_group.html", {"route": route, "numbers": numbers})


@page(Permission.ROUTE, "GET", "POST")
def fleet_repin(request: HttpRequest) -> HttpResponse:
    """Numbers that were ticked get another route: a dry run with before and after first, then exactly that."""
    data = request.POST if request.method == "POST" else request.GET
    channels = chosen_channels(data.getlist("route"), data.getlist("channel"))
    row = Row(agent=data.get("agent", ""), answers=data.get("answers", "") or "draft")
    context: dict[str, object] = {
        "routes": data.getlist("route"),
        "addresses": data.getlist("channel"),
        "channels": channels,
        "row": row,
        "agents": agents(),
        "reason": data.get("reason", "")[:2000],
    }
    if request.method != "POST":
        return render(request, "channels/fleet_repin.html", context)
    try:
        moves = plan_moves(channels, single(row.target()))
        if request.POST.get("confirm"):
            batch = apply_moves(
                moves=_as_seen(moves, request.POST.getlist("seen")),
                summary=f"{len(moves):,} numbers to {row.target()}",
                reason=request.POST.get("reason", "")[:2000],
                actor=actor_of(request),
            )
            return _done(request, batch)
    except (BatchRefused, RouteRefused, ValueError) as refusal:
        return render(request, "channels/fleet_repin.html", {**context, "refusal": str(refusal)}, status=422)
    context |= {"moves": moves[:MOST_SHOWN], "count": len(moves), "left": len(channels) - len(moves)}
    context["seen"] = sorted({move.before.digest for move in moves})
    return render(request, "channels/fleet_repin.html", context)


def _as_seen(moves: list[Move], seen: list[str]) -> list[Move]:
    """The moves, if every number still answers with a route of the dry run. Raises BatchRefused."""
    moved = [move.channel for move in moves if move.before.digest not in seen]
    if moved:
        raise BatchRefused(
            f"Somebody changed {in_words(moved)} meanwhile. Nothing was changed; look at the list again."
        )
    return moves


@page(Permission.ROUTE, "GET", "POST")
def fleet_take_back(request: HttpRequest) -> HttpResponse:
    """Takes back everything that was changed since a moment, after a dry run."""
    data = request.POST if request.method == "POST" else request.GET
    since = _moment(data.get("since", ""))
    context: dict[str, object] = {"since": data.get("since", "")[:40], "reason": data.get("reason", "")[:2000]}
    if since is None:
        context["is_unreadable"] = bool(data.get("since"))
        return render(request, "channels/fleet_take_back.html", context, status=422 if data.get("since") else 200)
    moves = plan_take_back(since)
    if request.method == "POST":
        try:
            batch = apply_moves(
                moves=moves,
                summary=f"Everything changed since {since:%Y-%m-%d %H:%M} taken back",
                reason=request.POST.get("reason", "")[:2000],
                actor=actor_of(request),
            )
        except (BatchRefused, RouteRefused) as refusal:
            return render(request, "channels/fleet_take_back.html", {**context, "refusal": str(refusal)}, status=422)
        return _done(request, batch)
    context |= {"moves": moves[:MOST_SHOWN], "count": len(moves), "is_planned": True}
    return render(request, "channels/fleet_take_back.html", context)


@page(Permission.ROUTE, "POST")
def batch_undo(request: HttpRequest, number: int) -> HttpResponse:
    """Gives every number of a batch back what it answered before; those that moved since are named."""
    batch = RouteBatch.objects.filter(pk=number).first()
    if batch is None:
        raise Http404("There is no such change.")
    try:
        undone, left = undo_batch(batch=batch, actor=actor_of(request))
    except (BatchRefused, RouteRefused) as refusal:
        messages.error(request, str(refusal))
        return redirect("channels:fleet_board")
    words = f" {in_words(left)} changed again since and stays as it is." if left else ""
    messages.success(request, f"{undone.summary}.{words}")
    return redirect("channels:fleet_board")


@page(Permission.READ)
def missed_list(request: HttpRequest) -> HttpResponse:
    """Numbers that callers reached and that answered 404."""
    return render(request, "channels/missed_list.html", {"missed": missed_numbers(days=90)})


@page(Permission.ROUTE, "POST")
def missed_forget(request: HttpRequest) -> HttpResponse:
    """Takes one number off the list; the next call to it puts it back."""
    MissedNumber.objects.filter(number=request.POST.get("number", "")[:64].replace("\x00", "")).delete()
    return redirect("channels:missed_list")


def _done(request: HttpRequest, batch: RouteBatch) -> HttpResponse:
    undo = reverse("channels:batch_undo", args=[batch.pk])
    messages.success(request, f"{batch.summary}.", extra_tags=f"undo:{undo}")
    return redirect("channels:fleet_board")


def _moment(text: str) -> datetime | None:
    """A moment in the reader's time zone."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=get_current_timezone())
    return moment
