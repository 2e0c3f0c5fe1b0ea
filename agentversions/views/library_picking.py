"""From the libraries into a draft: the pick dialogs, and updates that wait to be taken."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.reading import InvalidConfiguration
from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.services.errors import DraftMoved, EditsConflict, Refused
from agentversions.services.libraries import find_entries
from agentversions.services.library_picking import LibraryUpdate, choices, pick, take_update, updates_for
from config.htmx import done, fragment_or_page

from .access import actor_of, agent_or_404, page
from .library_shelves import KNOWLEDGE, TOOLS, Shelf

FRAGMENTS = "agentversions/fragments"


@page(Permission.EDIT, "GET", "POST")
def tool_pick_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Picks tools of the library into the draft."""
    return _pick_dialog(request, TOOLS, agent_or_404(slug))


@page(Permission.EDIT, "GET", "POST")
def knowledge_pick_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Picks knowledge bases of the library into the draft."""
    return _pick_dialog(request, KNOWLEDGE, agent_or_404(slug))


@page(Permission.READ)
def library_updates(request: HttpRequest, slug: str) -> HttpResponse:
    """What the library has newer revisions of; on a tab of the editor only what that tab shows."""
    agent, tab = agent_or_404(slug), request.GET.get("tab", "")
    updates = [update for update in updates_for(agent.draft.load()) if tab in ("", _shelf_of(update).tab)]
    context = {"agent": agent, "updates": updates, "title": "Library updates"}
    return fragment_or_page(request, f"{FRAGMENTS}/library_updates.html", context)


@page(Permission.READ, "GET", "POST", write=Permission.EDIT)
def library_update_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows what the library's newest revision would change; POST takes it into the draft."""
    agent, path = agent_or_404(slug), request.GET.get("path", "")
    update = next((each for each in updates_for(agent.draft.load()) if each.path == path), None)
    if update is None:
        raise Http404("The library has nothing newer for this.")
    tab = _tab(agent, _shelf_of(update))
    refusal = ""
    if request.method == "POST":
        try:
            take_update(agent=agent, base=request.POST.get("base", ""), path=path, actor=actor_of(request))
        except (Refused, InvalidConfiguration) as error:
            refusal = _say(error)
        else:
            message = f"The draft has revision {update.latest} of “{update.entry.name}” now."
            return done(request, message, to=tab, event="draft-changed")
    context = {"agent": agent, "update": update, "back": tab, "refusal": refusal, "title": "Update from the library"}
    return fragment_or_page(request, f"{FRAGMENTS}/library_update_dialog.html", context, status=422 if refusal else 200)


def _pick_dialog(request: HttpRequest, shelf: Shelf, agent: Agent) -> HttpResponse:
    chosen, refusal = (request.POST or request.GET).getlist("pick"), ""
    if request.method == "POST":
        picked = list(find_entries(kind=shelf.kind).filter(slug__in=chosen))
        try:
            if not picked:
                raise Refused("Pick at least one.")
            pick(agent=agent, base=request.POST.get("base", ""), entries=picked, actor=actor_of(request))
        except (Refused, InvalidConfiguration) as error:
            refusal = _say(error)
        else:
            names = ", ".join(f"“{entry.name}”" for entry in picked)
            return done(request, f"Copied {names} into the draft.", to=_tab(agent, shelf), event="draft-changed")
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    context = {
        "shelf": shelf,
        "agent": agent,
        "address": reverse(shelf.pick, args=[agent.slug]),
        "back": _tab(agent, shelf),
        "choices": choices(agent.draft.load(), kind=shelf.kind, text=text, chosen=chosen),
        "text": text,
        "refusal": refusal,
        "title": f"Pick {shelf.title.lower()}",
    }
    is_searching = request.headers.get("HX-Target") == "pick-choices"
    name = "library_pick_choices" if is_searching else "library_pick_dialog"
    return fragment_or_page(request, f"{FRAGMENTS}/{name}.html", context, status=422 if refusal else 200)


def _shelf_of(update: LibraryUpdate) -> Shelf:
    return KNOWLEDGE if update.entry.kind == KNOWLEDGE.kind else TOOLS


def _say(error: Exception) -> str:
    """The refusal in this dialog's words: it shows the draft as it is now, so that pressing again does it."""
    if isinstance(error, EditsConflict | DraftMoved):
        return "Somebody else changed the draft in between. This shows it as it is now: look again, then repeat."
    return str(error)


def _tab(agent: Agent, shelf: Shelf) -> str:
    return f"{reverse('agentversions:agent_editor', args=[agent.slug])}?tab={shelf.tab}"
