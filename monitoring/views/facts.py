"""What pages of other parts say of calls: an agent's, its versions', a number's; and an agent's calls as they end."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.views.access import agent_or_404, page
from channels.models import Channel
from channels.views.access import channel_or_404
from config.htmx import fragment_or_page, wants_fragment
from monitoring.services.call_tail import KEPT, tail_calls
from monitoring.services.week import (
    DAYS,
    MOST_OF_MANY,
    MOST_OF_ONE,
    week_of_agent,
    week_of_channels,
    week_of_versions,
)

FRAGMENTS = "monitoring/fragments"
MOST_ROWS = 200


@page(Permission.READ)
def agent_week(request: HttpRequest, slug: str) -> HttpResponse:
    """The calls of an agent in the last seven days."""
    agent = agent_or_404(slug)
    week, title = week_of_agent(agent), f"Calls of {agent.name}"
    context = {"agent": agent, "week": week, **_facts(agent=agent.slug), "title": title}
    return fragment_or_page(request, f"{FRAGMENTS}/agent_week.html", context)


@page(Permission.READ)
def version_weeks(request: HttpRequest, slug: str) -> HttpResponse:
    """The same for the versions that the address names, each for its own row of a page."""
    agent = agent_or_404(slug)
    numbers = _numbers(request.GET.getlist("version")) or _newest(agent)
    weeks = [
        (number, week, urlencode({"agent": agent.slug, "version": f"V{number}"}))
        for number, week in week_of_versions(agent, numbers).items()
    ]
    context = {"agent": agent, "weeks": weeks, **_facts()}
    return fragment_or_page(request, f"{FRAGMENTS}/version_weeks.html", context, page="monitoring/version_weeks.html")


@page(Permission.READ)
def channel_week(request: HttpRequest, address: str) -> HttpResponse:
    """The calls of a number in the last seven days."""
    channel = channel_or_404(address)
    week = week_of_channels([channel.address], most=MOST_OF_ONE)[channel.address]
    context = {"channel": channel, "week": week, **_facts(channel=channel.address), "title": f"Calls of {channel}"}
    return fragment_or_page(request, f"{FRAGMENTS}/channel_week.html", context)


@page(Permission.READ)
def channel_weeks(request: HttpRequest) -> HttpResponse:
    """The same for the numbers that the address names by their keys, each for its own row of a list."""
    channels = list(Channel.objects.filter(pk__in=_numbers(request.GET.getlist("channel"))).order_by("address"))
    found = week_of_channels([channel.address for channel in channels], most=MOST_OF_MANY)
    weeks = [(channel, found[channel.address], urlencode({"channel": channel.address})) for channel in channels]
    context = {"weeks": weeks, **_facts()}
    return fragment_or_page(request, f"{FRAGMENTS}/channel_weeks.html", context, page="monitoring/channel_weeks.html")


@page(Permission.READ)
def call_tail(request: HttpRequest, slug: str) -> HttpResponse:
    """The calls of an agent that ended last; nothing while they are those that the page has seen."""
    agent = agent_or_404(slug)
    tail = tail_calls(agent)
    context = {"agent": agent, "tail": tail, "kept": KEPT, "title": f"Calls of {agent.name} as they end"}
    seen = request.GET.get("seen", "")
    if seen and wants_fragment(request):
        if seen == tail.seen:
            return HttpResponse(status=204)
        return fragment_or_page(request, f"{FRAGMENTS}/call_tail_rows.html", context)
    return fragment_or_page(request, f"{FRAGMENTS}/call_tail.html", context, page="monitoring/call_tail.html")


def _facts(**wanted: str) -> dict[str, object]:
    """The days that are counted, and the filter of the list that shows them."""
    return {"days": DAYS, "query": urlencode(wanted)}


def _numbers(texts: list[str]) -> list[int]:
    """The numbers of an address in their order; whatever is none is left out."""
    found = (int(text) for text in texts[:MOST_ROWS] if text.isascii() and text.isdecimal() and len(text) < 10)
    return list(dict.fromkeys(found))


def _newest(agent: Agent) -> list[int]:
    return list(agent.versions.newest_first().values_list("number", flat=True)[:MOST_ROWS])
