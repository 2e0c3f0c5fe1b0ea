"""The page on which an agent's draft is edited, tab by tab."""

from django.http import HttpRequest, HttpResponse

from agentversions.core.configuration import TABS, Tab
from agentversions.core.roles import Permission
from agentversions.core.typed_values import LinedError
from agentversions.services.presence import others_present
from config.htmx import fragment_or_page

from .access import actor_of, agent_or_404, page
from .editor_fields import draw_workflow, view_tab
from .editor_state import EditorState, describe, state_of

FRAGMENTS = "agentversions/fragments"


@page(Permission.READ)
def agent_editor(request: HttpRequest, slug: str) -> HttpResponse:
    """One tab of the draft; HTMX gets the tab alone."""
    return show_editor(request, state_of(agent_or_404(slug)), tab_named(request.GET.get("tab", "")))


@page(Permission.READ)
def workflow_graph(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft's workflow, drawn."""
    state = state_of(agent_or_404(slug))
    context = {"agent": state.agent, "graph": draw_workflow(state)}
    return fragment_or_page(request, f"{FRAGMENTS}/workflow_graph.html", context)


def tab_named(key: str) -> Tab:
    """The tab of this key, the first one when there is none."""
    return next((tab for tab in TABS if tab.key == key), TABS[0])


def show_editor(
    request: HttpRequest,
    state: EditorState,
    tab: Tab,
    *,
    typed: dict[str, str] | None = None,
    errors: tuple[LinedError, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """The page, or a refused form again as it was sent."""
    actor = actor_of(request)
    context = {
        "agent": state.agent,
        "state": state,
        "tabs": TABS,
        "view": view_tab(tab, state, typed=typed, errors=errors),
        "is_readonly": state.agent.is_archived or not actor.allows(Permission.EDIT),
        "present": others_present(agent=state.agent, actor=actor),
        "description": describe(state),
    }
    page_template = "agentversions/agent_editor.html"
    return fragment_or_page(request, f"{FRAGMENTS}/editor_tab.html", context, page=page_template, status=status)
