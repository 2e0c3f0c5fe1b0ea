"""Freeze windows: the list, making one, lifting one."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name

from agentversions.core.roles import Permission
from agentversions.models import FreezeWindow
from agentversions.models.database import database_now
from agentversions.services.errors import FreezeRefused
from agentversions.services.freezes import create_freeze, lift_freeze
from agentversions.views.access import actor_of, page
from channels.forms.schedule import FreezeForm
from channels.services.schedule_list import upcoming
from config.htmx import done, fragment_or_page

FRAGMENTS = "channels/fragments"
MOST_SHOWN = 200


@page(Permission.READ)
def freeze_list(request: HttpRequest) -> HttpResponse:
    """Every window, the latest first, with the planned changes that it would refuse."""
    context = {
        "freezes": FreezeWindow.objects.select_related("created_by", "lifted_by")[:MOST_SHOWN],
        "now": database_now(),
        "refused": [each for each in upcoming() if each.freeze],
    }
    return fragment_or_page(request, f"{FRAGMENTS}/freeze_table.html", context, page="channels/freeze_list.html")


@page(Permission.ADMINISTER, "GET", "POST")
def freeze_create_dialog(request: HttpRequest) -> HttpResponse:
    """Asks what the freeze is for, and from when to when."""
    form = FreezeForm(request.POST or None, initial={"time_zone": get_current_timezone_name()})
    if request.method == "POST" and form.is_valid():
        try:
            freeze = create_freeze(**form.cleaned_data, actor=actor_of(request))
        except FreezeRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return done(request, f"“{freeze}” is set.", to=reverse("channels:freeze_list"), event="freeze-changed")
    context = {"form": form, "title": "New freeze window"}
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/freeze_create_dialog.html", context, status=status)


@page(Permission.ADMINISTER, "POST")
def freeze_lift(request: HttpRequest, number: int) -> HttpResponse:
    """Ends a window now, or calls off one that has not begun."""
    freeze = FreezeWindow.objects.filter(pk=number).first()
    if freeze is None:
        raise Http404("There is no such freeze window.")
    try:
        lift_freeze(freeze=freeze, actor=actor_of(request))
        message = f"“{freeze}” is lifted: operators change what answers again."
    except FreezeRefused as refusal:
        message = str(refusal)
    return done(request, message, to=reverse("channels:freeze_list"), event="freeze-changed")
