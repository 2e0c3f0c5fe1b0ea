"""Saves what was typed into the editor: by JSON while somebody types, by a plain form without scripts."""

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.reading import InvalidConfiguration
from agentversions.core.roles import Permission
from agentversions.core.typed_values import LinedError, with_lines
from agentversions.forms.draft_edits import Basis, Submission, read_form, read_typed_edits, resolve
from agentversions.models import Agent, Configuration
from agentversions.services.drafts import edit_draft
from agentversions.services.errors import AgentArchived, DraftMoved, EditsConflict
from agentversions.services.publishing import latest_version

from .access import actor_of, agent_or_404, page
from .draft_conflicts import conflict_answer, conflict_errors, conflicts_with_draft
from .editor import show_editor, tab_named
from .editor_state import describe, state_of


@page(Permission.READ, "POST", write=Permission.EDIT)
def draft_save(request: HttpRequest, slug: str) -> HttpResponse:
    """Save edits: JSON from the page's scripts, else the form of one tab."""
    agent = agent_or_404(slug)
    return _save_typed(request, agent) if request.content_type == "application/json" else _save_form(request, agent)


def _save_typed(request: HttpRequest, agent: Agent) -> HttpResponse:
    actor, by = actor_of(request), str(agent.draft_changed_by)
    submission = Submission("", ())
    try:
        typed = read_typed_edits(request.body)
        if typed.person != actor.pk:
            return _refused(403, f"You are signed in as {actor} now, and somebody else typed this. Sign in as before.")
        basis = basis_of(agent, typed.base)
        submission = resolve(typed, basis)
        saved = edit_draft(agent=agent, base=typed.base, edits=submission.edits, actor=actor)
    except RequestDataTooBig:
        return _refused(413, "This is far beyond the 2 MB that a configuration may have. Shorten it.")
    except InvalidConfiguration as error:
        errors = with_lines(error.errors, submission.typed)
        return JsonResponse({"errors": [vars(each) for each in errors]}, status=422)
    except EditsConflict as conflict:
        return conflict_answer(request, agent, conflict.conflicts, conflict.digest)
    except DraftMoved:
        fresh = agent_or_404(agent.slug)
        return conflict_answer(request, fresh, conflicts_with_draft(fresh, submission.edits), fresh.draft_id)
    except AgentArchived as error:
        return _refused(423, str(error))
    since = basis.load_base() if saved.merged_others or submission.takes_back else None
    return JsonResponse({**describe(state_of(saved.agent, saved.content), since=since), "merged_from": by})


def _save_form(request: HttpRequest, agent: Agent) -> HttpResponse:
    tab, actor = tab_named(request.POST.get("tab", "")), actor_of(request)
    base = request.POST.get("base", "")[:64]
    submission = Submission(base, ())
    try:
        submission = read_form(request.POST, tab, basis_of(agent, base))
        saved = edit_draft(agent=agent, base=base, edits=submission.edits, actor=actor)
    except InvalidConfiguration as error:
        errors = with_lines(error.errors, submission.typed)
        return show_editor(request, state_of(agent), tab, typed=_typed(request), errors=errors, status=422)
    except EditsConflict as conflict:
        errors = conflict_errors(conflict.conflicts)
        fresh = state_of(agent_or_404(agent.slug))
        return show_editor(request, fresh, tab, typed=submission.typed, errors=errors, status=409)
    except (DraftMoved, AgentArchived) as error:
        errors = (LinedError("", str(error)),)
        return show_editor(request, state_of(agent), tab, typed=_typed(request), errors=errors, status=409)
    moment = timezone.localtime(saved.agent.draft_changed_at).strftime("%H:%M:%S")
    messages.success(request, f"The draft is saved ({moment}).")
    return HttpResponseRedirect(f"{reverse('agentversions:agent_editor', args=[agent.slug])}?tab={tab.key}")


def basis_of(agent: Agent, base: str) -> Basis:
    """What edits typed on the state `base` refer to; a state that is not known stands for the draft itself, and the
    service refuses it."""

    def load_base() -> AgentConfiguration:
        if base == agent.draft_id:
            return agent.draft.load()
        state = Configuration.objects.filter(digest=base).first()
        return (state or agent.draft).load()

    def load_latest() -> AgentConfiguration | None:
        latest = latest_version(agent)
        return latest.configuration.load() if latest else None

    return Basis(load_base, load_latest)


def _typed(request: HttpRequest) -> dict[str, str]:
    """Every text of a form, to show it again as it was sent."""
    fields = {name: value for name, value in request.POST.items() if name.startswith("field:")}
    return {name.removeprefix("field:"): str(value) for name, value in fields.items()}


def _refused(status: int, message: str) -> JsonResponse:
    return JsonResponse({"errors": [vars(LinedError("", message))]}, status=status)
