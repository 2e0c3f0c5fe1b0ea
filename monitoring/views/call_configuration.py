"""The exact configuration that handled a call where flags had changed it, beside its version or today's draft."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from agentversions.core.changes import compare
from agentversions.core.roles import Permission
from agentversions.models import Agent, Configuration
from agentversions.services.comparison import ComparedSides, Side
from agentversions.views.access import page
from agentversions.views.compare import shown_difference
from monitoring.models import Call
from monitoring.services.call_page import find_call
from monitoring.services.handling import handling_of


@page(Permission.READ)
def call_configuration(request: HttpRequest, sender_id: str) -> HttpResponse:
    """What flags had changed, or (`?with=draft`) what differs from today's draft; made again from flags' revisions."""
    call = find_call(sender_id) if "\x00" not in sender_id else None
    if call is None:
        raise Http404(f"There is no call “{sender_id[:100]}”.")
    handling = handling_of(call)
    if handling.rebuilt is None or handling.rebuilt.body is None:
        why = handling.rebuilt.why if handling.rebuilt else "No flag changed its configuration."
        raise Http404(f"The configuration of this call cannot be shown. {why}")
    effective = Side("call", "This call", Configuration(digest=handling.effective, body=handling.rebuilt.body), None)
    is_with_draft = request.GET.get("with") == "draft"
    agent = Agent.objects.with_draft().get(pk=call.agent_id)
    if is_with_draft:
        base, head = effective, Side("draft", "Draft", agent.draft, None)
    else:
        base, head = _stored(call, agent), effective
    compared = ComparedSides(base, head, compare(base.configuration.load(), head.configuration.load()))
    context = {
        **shown_difference(request, compared),
        "call": call,
        "handling": handling,
        "agent": agent,
        "is_with_draft": is_with_draft,
    }
    return render(request, "monitoring/call_configuration.html", context)


def _stored(call: Call, agent: Agent) -> Side:
    """The version (or the draft state) that the flags were laid over."""
    stored = Configuration.objects.get(digest=call.digest)
    version = agent.versions.filter(number=call.version).first() if call.version else None
    return Side("stored", str(version) if version else "Draft of that time", stored, version)
