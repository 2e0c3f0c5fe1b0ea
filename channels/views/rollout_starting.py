"""The form that starts a rollout, now or at a moment."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.services.deployments import live_version
from agentversions.services.errors import Refused
from agentversions.views.access import actor_of, page
from channels.core.rollout_judging import Counts, Figures, Guardrail, Rule
from channels.core.rollout_steps import Preset
from channels.forms.rollouts import RolloutForm
from channels.models import Rollout
from channels.services.choices import agents, versions_of
from channels.services.errors import RolloutOpen, RolloutRefused
from channels.services.rollout_channels import taking_part
from channels.services.rollouts import open_rollout, start_rollout
from config.htmx import fragment_or_page, go_to


@page(Permission.ROUTE, "GET", "POST")
def rollout_create(request: HttpRequest) -> HttpResponse:
    """Asks for version, steps and judging; agent and version may be in the address. A POST starts it, or changes the
    form's lines (with scripts on or off)."""
    data = request.POST if request.method == "POST" else request.GET
    form = RolloutForm(data, zone=get_current_timezone_name())
    agent = Agent.objects.filter(slug=form.agent).first()
    step = request.POST.get("step", "start")
    if request.method == "POST" and step == "start":
        return _start(request, form, agent)
    _take_step(form, step)
    return _show(request, form, agent)


def _take_step(form: RolloutForm, step: str) -> None:
    word, _, number = step.partition(":")
    if word == "preset":
        form.use_preset()
    elif word == "agent":
        form.version, form.follow_live = "", []
    elif word == "add":
        form.add_row()
    elif word == "remove" and number.isdecimal():
        form.remove_row(int(number))


def _start(request: HttpRequest, form: RolloutForm, agent: Agent | None) -> HttpResponse:
    values = form.values()
    if agent is None or values is None:
        if agent is None and form.agent:
            form.refuse(RolloutRefused.at("agent", "There is no such agent. Choose one from the list."))
        return _show(request, form, agent, status=422)
    try:
        rollout = start_rollout(agent=agent, **values, actor=actor_of(request))
    except RolloutRefused as refusal:
        form.refuse(refusal)
    except RolloutOpen:
        pass  # The form itself shows the one that is open, with a link to it.
    except Refused as refusal:
        form.refuse_whole(str(refusal))
    else:
        messages.success(request, _words(rollout))
        return go_to(request, reverse("channels:rollout_detail", args=[rollout.pk]))
    return _show(request, form, agent, status=422)


def _words(rollout: Rollout) -> str:
    if rollout.starts_at is not None:
        return f"Planned: the rollout of {rollout.version}. It can be cancelled at any time."
    return f"The rollout of {rollout.version} has started."


def _show(request: HttpRequest, form: RolloutForm, agent: Agent | None, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "agent": agent,
        "agents": agents(),
        "versions": versions_of(agent, form.version) if agent else [],
        "live": live_version(agent) if agent else None,
        "current": open_rollout(agent) if agent else None,
        "taking_part": taking_part(agent) if agent else None,
        "presets": [(each.value, PRESET_WORDS[each]) for each in Preset],
        "rules": [(each.value, RULE_WORDS[each]) for each in Rule],
        "figures": [(each.value, FIGURE_WORDS[each]) for each in Figures],
        "counts": [(each.value, COUNT_WORDS[each]) for each in Counts],
        "guardrails": [(each, GUARDRAIL_WORDS[each]) for each in Guardrail],
    }
    return fragment_or_page(
        request, "channels/fragments/rollout_form.html", context, page="channels/rollout_create.html", status=status
    )


PRESET_WORDS = {
    Preset.BALANCED: ("Balanced", "10 → 25 → 50 %, ends well in most cases"),
    Preset.FAST: ("Fast", "10 → 50 %, needs fewer calls, rules out less"),
    Preset.STRICT: ("Strict", "as Balanced, with a closer last margin"),
    Preset.OWN: ("My own", "steps and margins as I type them"),
}
RULE_WORDS = {
    Rule.SEQUENTIAL: "Sequential test: may be looked at as often as one likes",
    Rule.THRESHOLD: "Simple rule: ratio above 1.5 rolls back, at or below 1.1 promotes",
}
FIGURE_WORDS = {Figures.CALLS: "The calls of this installation", Figures.PROMETHEUS: "A Prometheus server"}
COUNT_WORDS = {
    Counts.FAILURES: "Failed calls",
    Counts.SUCCESSES: "Successful calls: where more than 30 % of calls fail",
}
GUARDRAIL_WORDS = {
    Guardrail.AUTOMATION: "Automation rate",
    Guardrail.SENTIMENT: "Negative sentiment",
    Guardrail.DURATION: "Duration of calls",
    Guardrail.LATENCY: "Latency",
    Guardrail.JUDGE_SCORE: "Judge score",
}
