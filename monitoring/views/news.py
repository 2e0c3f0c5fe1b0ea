"""What changes while somebody looks: how many new calls a list has."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.views.access import page
from config.htmx import wants_fragment
from monitoring.core.call_filter import read_filter
from monitoring.core.page_key import read_ids, read_key
from monitoring.services.call_list import PER_PAGE, count_new
from monitoring.services.time_limit import TookTooLong

STOP_ASKING = 286
"""HTMX's own status: what asks again and again stops."""


@page(Permission.READ)
def call_news(request: HttpRequest) -> HttpResponse:
    """How many calls came since a list's first page was shown; nothing while the number is as it was said last.

    A filter that takes long to look through is not asked for again: the page then says so.
    """
    wanted = read_filter(dict(request.GET.lists()))
    if not wants_fragment(request):
        return HttpResponseRedirect(f"{reverse('monitoring:call_list')}?{wanted.address}")
    shown, oldest = read_ids(request.GET.get("shown", ""), most=PER_PAGE), read_key(request.GET.get("oldest", ""))
    context = {"wanted": wanted, "ids": request.GET.get("shown", ""), "oldest": oldest, "most": PER_PAGE}
    try:
        news = count_new(wanted, shown=shown, oldest=oldest)
    except TookTooLong:
        return render(request, "monitoring/fragments/new_calls.html", {"is_slow": True}, status=STOP_ASKING)
    if str(news) == request.GET.get("said", "0"):
        return HttpResponse(status=204)
    return render(request, "monitoring/fragments/new_calls.html", {**context, "news": news})
