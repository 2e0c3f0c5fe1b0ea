"""The restore dialog: what would change in the draft, and whether the draft becomes a version first."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.changes import compare
from agentversions.core.problems import blocking, find_problems
from agentversions.core.roles import Permission
from agentversions.forms.publishing import RestoreForm
from agentversions.models import AgentVersion
from agentversions.services.comparison import changes_since_latest
from agentversions.services.errors import Refused
from agentversions.services.publishing import Restored, identical_version, restore_version
from config.htmx import done, fragment_or_page

from .access import actor_of, page, version_or_404

DIALOG = "agentversions/fragments/restore_dialog.html"


@page(Permission.EDIT, "GET", "POST")
def restore_dialog(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """GET shows the difference draft → version; POST points the draft at the version's configuration."""
    version = version_or_404(slug, number)
    if request.method != "POST":
        return _dialog(request, version, RestoreForm())
    form = RestoreForm(request.POST)
    if not form.is_valid():
        return _dialog(request, version, form, status=422)
    try:
        restored = restore_version(
            version=version,
            publish_first_as=form.publish_first_as,
            expected=form.cleaned_data["expected"],
            actor=actor_of(request),
        )
    except Refused as refusal:
        return _dialog(request, version_or_404(slug, number), form, refusal=str(refusal), status=422)
    return _restored(request, version, restored)


def _dialog(
    request: HttpRequest, version: AgentVersion, form: RestoreForm, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    agent = version.agent
    draft, restored = agent.draft.load(), version.configuration.load()
    latest, since_latest = changes_since_latest(agent)
    same = identical_version(agent)
    problems = blocking(find_problems(draft))
    context = {
        "agent": agent,
        "version": version,
        "form": form,
        "refusal": refusal,
        "comparison": compare(draft, restored),
        "is_same": agent.draft_id == version.configuration_id,
        "new_name": restored.name if restored.name != draft.name else "",
        "latest": latest,
        "next_number": latest.number + 1 if latest else 1,
        "since_latest": since_latest,
        "published_as": same,
        "problems": problems,
        "publish_first": form["publish_first"].value() if form.is_bound else same is None and not problems,
        "publish_first_name": form["publish_first_name"].value() or f"Draft before restoring {version}",
        "title": f"Restore {version} of {agent.name}",
    }
    return fragment_or_page(request, DIALOG, context, status=status)


def _restored(request: HttpRequest, version: AgentVersion, restored: Restored) -> HttpResponse:
    slug, digest = restored.agent.slug, version.configuration_id
    before = f"The draft before it is {restored.published} now. " if restored.published else ""
    undo = reverse("agentversions:draft_take_back", args=[slug, restored.replaced])
    return done(
        request,
        f"{before}Restored {version} “{version.name}” to the draft.",
        to=reverse("agentversions:agent_editor", args=[slug]),
        event="version-restored",
        undo=f"{undo}?expected={digest}" if restored.replaced != digest else "",
        detail={"agent": slug, "number": version.number, "digest": digest},
    )
