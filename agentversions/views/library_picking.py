"""From the libraries into a draft: the pick dialogs, and updates that wait to be taken."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.reading import InvalidConfiguration
from agentversions.core.roles import Permission
from agentversions.models import Agent, LibraryEntry
from agentversions.services.errors import Refused
from agentversions.services.libraries import find_entries
from agentversions.services.library_picking import FIELDS, pick, take_update, updates_for
from config.htmx import done, fragment_or_page

from .access import actor_of, agent_or_404, page
from .library_shelves import KNOWLEDGE, TOOLS, Shelf

FRAGMENTS = "agentversions/fragments"


@page(Permission.EDIT, "GET", "POST")
def tool_pick_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Picks tools of the library into the draft."""
    return _pick_dialog(request, TOOLS, agent_or_404(slug), "tool_pick_dialog", "tools")


@page(Permission.EDIT, "GET", "POST")
def knowledge_pick_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Picks knowledge bases of the library into the draft."""
    return _pick_dialog(request, KNOWLEDGE, agent_or_404(slug), "knowledge_pick_dialog", "knowledge")


@page(Permission.READ)
def library_updates(request: HttpRequest, slug: str) -> HttpResponse:
    """What the library has newer revisions of."""
    agent = agent_or_404(slug)
    context = {"agent": agent, "updates": updates_for(agent.draft.load()), "title": "Library updates"}
    return fragment_or_page(request, f"{FRAGMENTS}/library_updates.html", context)


@page(Permission.READ, "GET", "POST", write=Permission.EDIT)
def library_update_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows what the library's newest revision would change; POST takes it into the draft."""
    agent, path = agent_or_404(slug), request.GET.get("path", "")
    update = next((each for each in updates_for(agent.draft.load()) if each.path == path), None)
    if update is None:
        raise Http404("The library has nothing newer for this.")
    refusal = ""
    if request.method == "POST":
        try:
            take_update(agent=agent, base=request.POST.get("base", ""), path=path, actor=actor_of(request))
        except (Refused, InvalidConfiguration) as error:
            refusal = str(error)
        else:
            tab = "tools" if update.entry.kind == LibraryEntry.Kind.TOOL else "knowledge"
            message = f"The draft has revision {update.latest} of “{update.entry.name}” now."
            return done(request, message, to=_tab(agent, tab), event="draft-changed")
    context = {"agent": agent, "update": update, "comparison": update.comparison, "refusal": refusal, "title": "Update"}
    return fragment_or_page(request, f"{FRAGMENTS}/library_update_dialog.html", context, status=422 if refusal else 200)


def _pick_dialog(request: HttpRequest, shelf: Shelf, agent: Agent, name: str, tab: str) -> HttpResponse:
    entries = list(find_entries(kind=shelf.kind))
    field, key = FIELDS[LibraryEntry.Kind(shelf.kind)]
    taken = {getattr(item, key) for item in getattr(agent.draft.load(), field)}
    chosen, refusal = request.POST.getlist("pick"), ""
    if request.method == "POST":
        picked = [entry for entry in entries if entry.slug in chosen]
        try:
            if not picked:
                raise Refused("Pick at least one.")
            pick(agent=agent, base=request.POST.get("base", ""), entries=picked, actor=actor_of(request))
        except (Refused, InvalidConfiguration) as error:
            refusal = str(error)
        else:
            names = ", ".join(entry.name for entry in picked)
            return done(request, f"Copied {names} into the draft.", to=_tab(agent, tab), event="draft-changed")
    context = {
        "shelf": shelf,
        "agent": agent,
        "address": reverse(f"agentversions:{name}", args=[agent.slug]),
        "back": _tab(agent, tab),
        "entries": [(entry, (entry.name if key == "name" else entry.slug) in taken) for entry in entries],
        "chosen": chosen,
        "refusal": refusal,
        "title": f"Pick {shelf.title.lower()}",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/library_pick_dialog.html", context, status=422 if refusal else 200)


def _tab(agent: Agent, tab: str) -> str:
    return f"{reverse('agentversions:agent_editor', args=[agent.slug])}?tab={tab}"
