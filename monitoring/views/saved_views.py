"""Saved views of the list of calls: saving, changing and deleting one; and choosing the list's columns."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.services.errors import NotAllowed
from agentversions.views.access import actor_of, page
from channels.services.choices import agents
from config.htmx import fragment_or_page, go_to
from monitoring.core.call_filter import read_filter
from monitoring.forms.saved_views import ViewForm
from monitoring.models import SavedView
from monitoring.services.errors import ViewRefused
from monitoring.services.saved_views import (
    change_view,
    choose_columns,
    delete_view,
    filter_of,
    find_view,
    forget_columns,
    may_change,
    save_view,
)

from .calls import chips_of

FRAGMENTS = "monitoring/fragments"


@page(Permission.READ, "GET", "POST")
def view_save_dialog(request: HttpRequest) -> HttpResponse:
    """Asks for a name for the filters that the address holds, and who sees it."""
    form = ViewForm(request.POST or None, initial={"query": _query(request)})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            view = save_view(
                name=values["name"], query=values["query"], is_shared=values["is_shared"], actor=actor_of(request)
            )
        except ViewRefused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            return _open(request, view, f"“{view.name}” is saved.")
    return _dialog(request, form, None, "Save these filters")


@page(Permission.READ, "GET", "POST")
def view_change_dialog(request: HttpRequest, number: int) -> HttpResponse:
    """Renames a view, shares it or takes it back, or keeps in it the filters that the address holds."""
    view = _changeable(request, number)
    initial = {"name": view.name, "is_shared": view.is_shared, "query": _query(request) or view.query}
    form = ViewForm(request.POST or None, initial={**initial, "update": "update" in request.GET})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        query = values["query"] if values["update"] else None
        try:
            view = change_view(
                view=view, name=values["name"], query=query, is_shared=values["is_shared"], actor=actor_of(request)
            )
        except ViewRefused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        else:
            return _open(request, view, f"“{view.name}” is changed.")
    return _dialog(request, form, view, f"View “{view.name}”")


@page(Permission.READ, "GET", "POST")
def view_delete_dialog(request: HttpRequest, number: int) -> HttpResponse:
    """Asks before a view is forgotten."""
    view = _changeable(request, number)
    if request.method == "POST":
        try:
            delete_view(view=view, actor=actor_of(request))
        except ViewRefused as refusal:
            messages.warning(request, str(refusal))
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        else:
            messages.success(request, f"“{view.name}” is deleted.")
        return go_to(request, f"{reverse('monitoring:call_list')}?{view.query}")
    context = {"view": view, "title": f"Delete “{view.name}”?"}
    return fragment_or_page(request, f"{FRAGMENTS}/view_delete_dialog.html", context)


@page(Permission.READ, "POST")
def call_columns(request: HttpRequest) -> HttpResponse:
    """Shows the ticked columns to this person from now on, or the usual ones again; leads back to the list."""
    if "usual" in request.POST:
        forget_columns(actor=actor_of(request))
    else:
        choose_columns(columns=request.POST.getlist("column"), actor=actor_of(request))
    view = request.POST.get("view", "")
    also = {"view": view} if view.isascii() and view.isdecimal() else {}
    wanted = filter_of(request.POST.get("query", "")[:10_000])
    return HttpResponseRedirect(f"{reverse('monitoring:call_list')}?{urlencode([*wanted.pairs, *also.items()])}")


def _dialog(request: HttpRequest, form: ViewForm, view: SavedView | None, title: str) -> HttpResponse:
    wanted = filter_of(str(form["query"].value() or ""))
    differs = view is not None and wanted.address != view.query
    context = {"form": form, "view": view, "wanted": wanted, "chips": chips_of(wanted, agents()), "differs": differs}
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/view_dialog.html", {**context, "title": title}, status=status)


def _open(request: HttpRequest, view: SavedView, message: str) -> HttpResponse:
    messages.success(request, message)
    return go_to(request, f"{reverse('monitoring:call_list')}?{view.query}&{urlencode({'view': view.pk})}")


def _changeable(request: HttpRequest, number: int) -> SavedView:
    view = find_view(number, person=actor_of(request))
    if view is None:
        raise Http404("There is no such saved view.")
    if not may_change(view, actor_of(request)):
        raise PermissionDenied(f"“{view.name}” is {view.owner}’s. Save the filters under a name of your own.")
    return view


def _query(request: HttpRequest) -> str:
    return read_filter(dict(request.GET.lists())).address
