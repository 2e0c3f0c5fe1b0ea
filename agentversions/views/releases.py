"""What a version needs before callers hear it: an agent's rules, what a version lacks, asking, overriding."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.forms.approvals import AskForm, ReasonForm, RulesForm
from agentversions.models import AgentVersion, EvaluationSuite
from agentversions.services.approval_list import request_of_version
from agentversions.services.approvals import ask_approval, may_ask, may_ask_live
from agentversions.services.errors import (
    AgentArchived,
    NotAllowed,
    ReasonMissing,
    Refused,
    RequestOpen,
    RequestRefused,
    RulesRefused,
)
from agentversions.services.live_versions import live_version
from agentversions.services.readiness import override_readiness, readiness_of
from agentversions.services.release_rules import rules_of, set_rules
from config.htmx import done, fragment_or_page, go_to

from .access import actor_of, agent_or_404, page, version_or_404

FRAGMENTS = "agentversions/fragments"


@page(Permission.ADMINISTER, "GET", "POST")
def release_rules_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """How many approvals the agent's versions need, and which suites they must have passed."""
    agent = agent_or_404(slug)
    rules = rules_of(agent)
    there = {"approvals": rules.approvals, "tolerance": f"{rules.tolerance * 100:g}"}
    form = RulesForm(request.POST or None, initial=there)
    chosen = request.POST.getlist("suites") if form.is_bound else [suite.slug for suite in rules.suites]
    if request.method == "POST" and form.is_valid():
        try:
            set_rules(
                agent=agent,
                approvals=form.cleaned_data["approvals"],
                tolerance=form.cleaned_data["tolerance"] / 100,
                suites=chosen,
                actor=actor_of(request),
            )
        except RulesRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        except AgentArchived as refusal:
            form.add_error(None, str(refusal))
        else:
            to = reverse("agentversions:agent_editor", args=[slug])
            return done(request, "Saved. It counts from the next version on.", to=to, event="release-rules-changed")
    offered = [*EvaluationSuite.objects.for_agent(agent).active()]
    context = {
        "agent": agent,
        "form": form,
        "suites": [*offered, *(suite for suite in rules.suites if suite not in offered)],
        "chosen": chosen,
        "title": f"Before callers hear {agent.name}",
    }
    return _dialog(request, "release_rules_dialog", context, form.is_bound)


@page(Permission.READ)
def version_readiness(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """What a version has and lacks before callers hear it."""
    version = version_or_404(slug, number)
    return fragment_or_page(request, f"{FRAGMENTS}/version_readiness.html", _state(request, version))


@page(Permission.READ, "GET", "POST")
def approval_ask_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Asks for approval; afterwards the request opens."""
    version, actor = version_or_404(slug, number), actor_of(request)
    if not may_ask(actor):
        raise PermissionDenied("This needs the Editor or the Operator role. Ask an admin for it.")
    form = AskForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            asked = ask_approval(version=version, **form.cleaned_data, actor=actor)
        except RequestOpen as refusal:
            messages.info(request, str(refusal))
            return go_to(request, reverse("agentversions:approval_detail", args=[refusal.request]))
        except RequestRefused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Asked for the approval of {version}.")
            return go_to(request, reverse("agentversions:approval_detail", args=[asked.pk]))
    context = {
        **_state(request, version),
        "form": form,
        "may_go_live": may_ask_live(version.agent, actor),
    }
    return _dialog(request, "approval_ask_dialog", context, form.is_bound)


@page(Permission.APPROVE, "GET", "POST")
def override_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Lets a version to callers although something is missing; an operator makes it live."""
    version = version_or_404(slug, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            override_readiness(version=version, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        except ReasonMissing as refusal:
            form.add_error("reason", str(refusal))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            to = reverse("agentversions:version_detail", args=[slug, number])
            words = f"{version} may go to callers now. An operator makes it live."
            return done(request, words, to=to, event="approval-changed")
    return _dialog(request, "override_dialog", {**_state(request, version), "form": form}, form.is_bound)


def _state(request: HttpRequest, version: AgentVersion) -> dict[str, object]:
    actor = actor_of(request)
    return {
        "agent": version.agent,
        "version": version,
        "live": live_version(version.agent),
        "readiness": readiness_of(version),
        "asked": request_of_version(version),
        "may_ask": may_ask(actor),
        "may_override": actor.allows(Permission.APPROVE) and version.created_by_id != actor.pk,
        "title": f"Before callers hear {version} of {version.agent.name}",
    }


def _dialog(request: HttpRequest, name: str, context: dict[str, object], is_refused: bool) -> HttpResponse:
    return fragment_or_page(request, f"{FRAGMENTS}/{name}.html", context, status=422 if is_refused else 200)
