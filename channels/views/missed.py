"""Numbers that callers reached and that answered 404."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agentversions.core.roles import Permission
from agentversions.views.access import page
from channels.models import MissedNumber
from channels.services.fleet import count_missed, missed_numbers

DAYS = 90


@page(Permission.READ)
def missed_list(request: HttpRequest) -> HttpResponse:
    """The numbers, the newest call first; each with the way to give it an answer."""
    context = {"missed": missed_numbers(days=DAYS), "count": count_missed(days=DAYS), "days": DAYS}
    return render(request, "channels/missed_list.html", context)


@page(Permission.ROUTE, "POST")
def missed_forget(request: HttpRequest) -> HttpResponse:
    """Takes one number off the list; the next call to it puts it back."""
    MissedNumber.objects.filter(number=request.POST.get("number", "")[:64].replace("\x00", "")).delete()
    return redirect("channels:missed_list")
