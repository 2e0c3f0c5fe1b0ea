"""A person's own settings: the time zone in which times are shown."""

import zoneinfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agentversions.core.roles import Permission

from .access import actor_of, page


@page(Permission.READ, "GET", "POST")
def profile(request: HttpRequest) -> HttpResponse:
    """Who the reader is, and in which time zone times are shown."""
    person, zones = actor_of(request), sorted(zoneinfo.available_timezones())
    if request.method == "POST":
        chosen = request.POST.get("time_zone", "")
        if chosen in zones:
            person.time_zone = chosen
            person.save(update_fields=["time_zone"])
            messages.success(request, f"Times are shown in {chosen} now.")
            return redirect("agentversions:profile")
    is_refused = request.method == "POST"
    context = {"person": person, "zones": zones, "is_refused": is_refused}
    return render(request, "agentversions/profile.html", context, status=422 if is_refused else 200)
