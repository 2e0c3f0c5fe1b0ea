"""A/B tests: their results, and how long one would take, for the page of a channel and as pages of their own."""

from django.http import HttpRequest, HttpResponse

from agentversions.core.roles import Permission
from agentversions.views.access import page
from channels.core.shares import NotAShare, read_percent
from channels.views.access import channel_or_404
from config.htmx import fragment_or_page
from monitoring.services.ab_counts import MOST_CALLS
from monitoring.services.ab_periods import find_test
from monitoring.services.ab_planning import plan_ab
from monitoring.services.ab_results import FIGURES, POINTS, load_results

FRAGMENTS = "monitoring/fragments"
MOST_SHARES = 20


@page(Permission.READ)
def ab_results(request: HttpRequest, address: str) -> HttpResponse:
    """The results of the test that runs on a number, else of its last one."""
    channel = channel_or_404(address)
    test = find_test(channel)
    context = {
        "channel": channel,
        "results": load_results(test) if test else None,
        "meanings": [(label, meaning) for _, label, meaning, _ in FIGURES],
        "points": POINTS,
        "most": MOST_CALLS,
    }
    return fragment_or_page(request, f"{FRAGMENTS}/ab_results.html", context, page="monitoring/ab_results.html")


@page(Permission.READ)
def ab_plan(request: HttpRequest, address: str) -> HttpResponse:
    """How long a test with these shares (`share`, in per cent, the control first) would take on this number."""
    channel = channel_or_404(address)
    context = {
        "channel": channel,
        "plan": plan_ab(channel, _shares(request.GET.getlist("share"))),
        "title": f"How long would a test on {channel} take?",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/ab_plan.html", context)


def _shares(texts: list[str]) -> list[int]:
    """The shares as far as they can be read; what is still being typed has none."""
    shares = []
    for text in texts[:MOST_SHARES]:
        try:
            shares.append(read_percent(text))
        except NotAShare:
            shares.append(0)
    return shares
