"""The history of a draft: every saved state, by sitting; any two compared, any one taken back."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.changes import compare
from agentversions.core.roles import Permission
from agentversions.forms.publishing import DraftSeenForm
from agentversions.models import Agent
from agentversions.services.comparison import Side, find_side
from agentversions.services.draft_history import list_draft_states
from agentversions.services.errors import Refused, UnknownVersion
from agentversions.services.publishing import take_back_draft
from config.htmx import done, fragment_or_page

from .access import actor_of, agent_or_404, page
from .versions import row_below

FRAGMENTS = "agentversions/fragments"


@page(Permission.READ)
def draft_history(request: HttpRequest, slug: str) -> HttpResponse:
    """Every saved state of the draft, newest first."""
    agent, below = agent_or_404(slug), row_below(request)
    context = {"agent": agent, "page": list_draft_states(agent, below=below), "is_continued": below is not None}
    return fragment_or_page(
        request, f"{FRAGMENTS}/draft_history_list.html", context, page="agentversions/draft_history.html"
    )


@page(Permission.EDIT, "GET", "POST")
def draft_take_back(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """GET shows what would change; POST points the draft at one of its former states (also a toast's Undo)."""
    agent = agent_or_404(slug)
    state = _state_or_404(agent, digest)
    if request.method != "POST":
        return _dialog(request, agent, state)
    form = DraftSeenForm({"expected": request.POST.get("expected") or request.GET.get("expected")})
    if not form.is_valid():
        return _dialog(request, agent, state, refusal=str(form.errors["expected"][0]), status=422)
    expected = form.cleaned_data["expected"]
    try:
        taken = take_back_draft(agent=agent, digest=digest, expected=expected, actor=actor_of(request))
    except Refused as refusal:
        return _dialog(request, agent_or_404(slug), state, refusal=str(refusal), status=422)
    undo = reverse("agentversions:draft_take_back", args=[slug, taken.replaced])
    return done(
        request,
        f"The draft is back at {digest[:8]}.",
        to=reverse("agentversions:agent_editor", args=[slug]),
        event="version-restored",
        undo=f"{undo}?expected={digest}" if taken.replaced != digest else "",
        detail={"agent": slug, "digest": digest},
    )


def _state_or_404(agent: Agent, digest: str) -> Side:
    try:
        side = find_side(agent, digest)
    except UnknownVersion as error:
        raise Http404(str(error)) from error
    if side.configuration.digest != digest:
        raise Http404("This is no state of this draft.")
    return side


def _dialog(request: HttpRequest, agent: Agent, state: Side, *, refusal: str = "", status: int = 200) -> HttpResponse:
    draft, former = agent.draft.load(), state.configuration.load()
    moves = agent.history.filter(draft_id=state.configuration.digest).order_by("-history_id")
    context = {
        "agent": agent,
        "digest": state.configuration.digest,
        "refusal": refusal,
        "comparison": compare(draft, former),
        "is_same": agent.draft_id == state.configuration.digest,
        "new_name": former.name if former.name != draft.name else "",
        "saved": moves.select_related("history_user").first(),
        "title": f"Take back a state of {agent.name}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/take_back_dialog.html", context, status=status)
