"""The publish dialog: what changed since the latest version, what keeps it from being published, and its name."""

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.problems import blocking, find_problems
from agentversions.core.roles import Permission
from agentversions.core.version_words import name_nudge, suggested_description
from agentversions.forms.publishing import PublishForm
from agentversions.models import Agent, AgentVersion
from agentversions.services.comparison import changes_since_latest
from agentversions.services.deployments import live_version
from agentversions.services.errors import Refused
from agentversions.services.publishing import identical_version, publish, published_after_all
from config.htmx import done, fragment_or_page

from .access import actor_of, agent_or_404, page

FRAGMENTS = "agentversions/fragments"
TRY_AGAIN = "Press Publish again: if it was published after all, you will be told, and nothing is published twice."


@page(Permission.EDIT, "GET", "POST")
def publish_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows what would be published; POST publishes it, or shows the dialog again with what stands in the way."""
    agent = agent_or_404(slug)
    if request.method != "POST":
        return _dialog(request, agent, PublishForm())
    form = PublishForm(request.POST)
    if not form.is_valid():
        return _dialog(request, agent, form, status=422)
    try:
        version = _publish(request, agent, form)
    except Refused as refusal:
        return _dialog(request, agent_or_404(slug), form, refusal=str(refusal), status=422)
    except (OperationalError, InterfaceError):
        return _after_lost_connection(request, agent, form)
    return _published(request, version)


@page(Permission.EDIT)
def version_name_hint(request: HttpRequest, slug: str) -> HttpResponse:
    """The gentle sentence under the name while it is typed; it never blocks."""
    context = {"agent": agent_or_404(slug), "nudge": name_nudge(request.GET.get("name", ""))}
    return fragment_or_page(request, f"{FRAGMENTS}/version_name_hint.html", context)


def _publish(request: HttpRequest, agent: Agent, form: PublishForm) -> AgentVersion:
    answers = form.cleaned_data
    return publish(
        agent=agent,
        name=answers["name"],
        description=answers["description"],
        expected=answers["expected"],
        latest_seen=answers["latest_seen"],
        allow_identical=answers["publish_identical"],
        actor=actor_of(request),
    )


def _dialog(
    request: HttpRequest, agent: Agent, form: PublishForm, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    latest, comparison = changes_since_latest(agent)
    problems = find_problems(agent.draft.load())
    context = {
        "agent": agent,
        "form": form,
        "refusal": refusal,
        "latest": latest,
        "next_number": latest.number + 1 if latest else 1,
        "comparison": comparison,
        "blocking": blocking(problems),
        "warnings": [problem for problem in problems if not problem.is_blocking],
        "identical": identical_version(agent),
        "live": live_version(agent),
        "name": form["name"].value() or "",
        "description": form["description"].value() if form.is_bound else suggested_description(comparison),
        "nudge": name_nudge(form["name"].value() or ""),
        "title": f"Publish {agent.name}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/publish_dialog.html", context, status=status)


def _after_lost_connection(request: HttpRequest, agent: Agent, form: PublishForm) -> HttpResponse:
    """A publish is one transaction: it is there whole or not at all, and this looks which of the two and says so."""
    answers = form.cleaned_data
    try:
        version = published_after_all(
            agent=agent,
            name=answers["name"],
            expected=answers["expected"],
            latest_seen=answers["latest_seen"],
            actor=actor_of(request),
        )
    except (OperationalError, InterfaceError):
        words = f"The database cannot be reached. Either the whole version was published or nothing. {TRY_AGAIN}"
    else:
        if version is not None:
            return _published(request, version)
        words = "The connection to the database was lost while publishing. Nothing was published. Press Publish again."
    context = {"agent": agent, "answers": answers, "words": words, "title": f"Publish {agent.name}"}
    response = fragment_or_page(request, f"{FRAGMENTS}/publish_dialog_lost.html", context, status=503)
    response["X-Shows-Itself"] = "dialog"
    return response


def _published(request: HttpRequest, version: AgentVersion) -> HttpResponse:
    return done(
        request,
        f"Published {version} “{version.name}”.",
        to=reverse("agentversions:version_detail", args=[version.agent.slug, version.number]),
        event="version-published",
        detail={"agent": version.agent.slug, "number": version.number},
    )
