"""How a rollout is judged: the judge's part of its page, every evaluation as CSV, and how long one would take."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.timezone import get_current_timezone_name

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.services.deployments import live_version
from agentversions.views.access import page
from channels.core.rollout_steps import RolloutPlan
from channels.forms.rollouts import RolloutForm
from channels.views.rollouts import rollout_or_404
from config.htmx import fragment_or_page
from monitoring.services.canary_forecast import forecast
from monitoring.services.canary_page import export_judging, show_judging

FRAGMENTS = "monitoring/fragments"


@page(Permission.READ)
def rollout_verdict(request: HttpRequest, number: int) -> HttpResponse:
    """What the judge says of a rollout. `seen` is the evaluation that is shown: without a newer one nothing is sent."""
    rollout = rollout_or_404(number)
    shown = show_judging(rollout)
    if request.GET.get("seen") == str(shown.newest):
        return HttpResponse(status=204)
    context = {"shown": shown, "rollout": rollout}
    return fragment_or_page(
        request, f"{FRAGMENTS}/rollout_verdict.html", context, page="monitoring/rollout_verdict.html"
    )


@page(Permission.READ)
def rollout_verdict_export(request: HttpRequest, number: int) -> StreamingHttpResponse:
    """Every evaluation of a rollout as CSV."""
    rollout = rollout_or_404(number)
    response = StreamingHttpResponse(export_judging(rollout), content_type="text/csv; charset=utf-8")
    name = f"rollout-{rollout.pk}-{rollout.agent.slug}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@page(Permission.READ)
def rollout_plan(request: HttpRequest) -> HttpResponse:
    """How long a rollout with the fields of its form would take; what cannot be read yet is said in a few words."""
    form = RolloutForm(request.GET, zone=get_current_timezone_name())
    agent = Agent.objects.filter(slug=form.agent).first()
    form.version, form.is_later = form.version or "1", False
    values = form.values() if agent else None
    live = live_version(agent) if agent else None
    found = None
    if agent is not None and values is not None:
        plan = RolloutPlan(
            agent.slug,
            values["version"],
            live.number if live else 0,
            "",
            tuple(values["steps"]),
            max_duration_s=values["max_duration_s"],
        )
        found = forecast(agent, plan, values["judging"])
    context = {"agent": agent, "forecast": found, "title": "How long would a rollout take?"}
    return fragment_or_page(request, f"{FRAGMENTS}/rollout_forecast.html", context)
