"""Changes of many numbers: their list, what each changed, and taking a whole one back."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.services.errors import Refused
from agentversions.views.access import actor_of, page
from channels.models import RouteBatch
from channels.services.batches import undo_batch
from channels.services.moves import Move, in_words, show_moves
from config.htmx import done, wants_fragment

PER_PAGE = 50
LINES_PER_PAGE = 200


@page(Permission.READ)
def batch_list(request: HttpRequest) -> HttpResponse:
    """All changes of many numbers, newest first."""
    found = RouteBatch.objects.select_related("created_by").prefetch_related("undone_by")
    batches = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "channels/batch_list.html", {"batches": batches})


@page(Permission.READ)
def batch_detail(request: HttpRequest, number: int) -> HttpResponse:
    """What one change did to each of its numbers."""
    batch = _batch_or_404(number)
    items = batch.items.order_by("pk").values_list("channel_id", "before_id", "after_id")
    lines = Paginator(items, LINES_PER_PAGE).get_page(request.GET.get("page"))
    moves = show_moves([Move(*item) for item in lines], LINES_PER_PAGE)
    return render(request, "channels/batch_detail.html", {"batch": batch, "lines": lines, "moves": moves})


@page(Permission.ROUTE, "POST")
def batch_undo(request: HttpRequest, number: int) -> HttpResponse:
    """Gives every number of a batch back what it answered before; those that moved since are named."""
    try:
        undone, left = undo_batch(batch=_batch_or_404(number), actor=actor_of(request))
    except Refused as refusal:
        if wants_fragment(request):
            return done(request, str(refusal), to="", event="route-changed")
        messages.error(request, str(refusal))
        return redirect("channels:fleet_board")
    words = f" Changed again since, so left as they are: {in_words(left)}." if left else ""
    return done(request, f"{undone.summary}.{words}", to=reverse("channels:fleet_board"), event="route-changed")


def _batch_or_404(number: int) -> RouteBatch:
    found = RouteBatch.objects.select_related("created_by", "undoes").prefetch_related("undone_by")
    batch = found.filter(pk=number).first()
    if batch is None:
        raise Http404("There is no such change.")
    return batch
