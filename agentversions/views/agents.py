"""The list of agents, and what can be done with one of them as a whole."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.forms.agents import AgentArchiveForm, AgentCreateForm, AgentDuplicateForm, FolderForm
from agentversions.models import Agent
from agentversions.services.agent_list import list_agents, list_folders
from agentversions.services.agents import (
    archive_agent,
    create_agent,
    duplicate_agent,
    move_to_folder,
    unarchive_agent,
    uses_of,
)
from agentversions.services.errors import AgentArchived, AgentInUse
from agentversions.starters import starter, starters
from config.htmx import done, fragment_or_page, go_to

from .access import actor_of, agent_or_404, page

FRAGMENTS = "agentversions/fragments"


@page(Permission.READ)
def agent_list(request: HttpRequest) -> HttpResponse:
    """All agents by folder and name; search, folder and archive are in the address."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    folder = request.GET.get("folder", "").replace("\x00", "")
    is_archived = request.GET.get("archived") == "1"
    context = {
        "agents": list_agents(text=text, folder=folder, is_archived=is_archived, page=request.GET.get("page", "1")),
        "folders": list_folders(is_archived=is_archived),
        "text": text,
        "folder": folder,
        "is_archived": is_archived,
    }
    return fragment_or_page(
        request, f"{FRAGMENTS}/agent_list_table.html", context, page="agentversions/agent_list.html"
    )


@page(Permission.EDIT, "GET", "POST")
def agent_create(request: HttpRequest) -> HttpResponse:
    """A new agent, blank or from a template; afterwards its editor opens."""
    form = AgentCreateForm(request.POST or None, initial={"starter": "blank", "folder": request.GET.get("folder", "")})
    if request.method == "POST" and form.is_valid():
        chosen = starter(form.cleaned_data["starter"])
        agent = create_agent(
            content=chosen.configuration.model_copy(update={"name": form.cleaned_data["name"]}),
            folder=form.cleaned_data["folder"],
            reason="Created" if chosen.key == "blank" else f"Created from the template “{chosen.label}”",
            actor=actor_of(request),
        )
        return redirect("agentversions:agent_editor", slug=agent.slug)
    context = {"form": form, "starters": starters(), "chosen": form["starter"].value(), "folders": list_folders()}
    return render(request, "agentversions/agent_create.html", context, status=422 if form.is_bound else 200)


@page(Permission.EDIT, "GET", "POST")
def agent_duplicate_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks for the copy's name, then opens the copy."""
    agent = agent_or_404(slug)
    form = AgentDuplicateForm(
        request.POST or None, initial={"name": f"{agent.name} copy"[:200], "folder": agent.folder}
    )
    if request.method == "POST" and form.is_valid():
        copy = duplicate_agent(agent=agent, **form.cleaned_data, actor=actor_of(request))
        return go_to(request, reverse("agentversions:agent_editor", args=[copy.slug]))
    return _dialog(request, "agent_duplicate_dialog", agent, form)


@page(Permission.EDIT, "GET", "POST")
def agent_folder_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Files the agent in another folder."""
    agent = agent_or_404(slug)
    form = FolderForm(request.POST or None, initial={"folder": agent.folder})
    if request.method == "POST" and form.is_valid():
        try:
            moved = move_to_folder(agent=agent, folder=form.cleaned_data["folder"], actor=actor_of(request))
        except AgentArchived as refusal:
            form.add_error("folder", str(refusal))
        else:
            message = f"“{moved.name}” is in {moved.folder or 'the top folder'} now."
            return done(request, message, to=reverse("agentversions:agent_editor", args=[slug]), event="agent-changed")
    return _dialog(request, "agent_folder_dialog", agent, form)


@page(Permission.EDIT, "GET", "POST")
def agent_archive_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts the agent away; refused, with the list, while anything routes to it."""
    agent = agent_or_404(slug)
    form = AgentArchiveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            archive_agent(agent=agent, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except AgentInUse as refusal:
            form.add_error(None, str(refusal))
        else:
            undo = reverse("agentversions:agent_unarchive", args=[slug])
            messages.success(request, f"Archived “{agent.name}”.", extra_tags=f"undo:{undo}")
            return go_to(request, reverse("agentversions:agent_list"))
    return _dialog(request, "agent_archive_dialog", agent, form)


@page(Permission.EDIT, "POST")
def agent_unarchive(request: HttpRequest, slug: str) -> HttpResponse:
    """Brings an archived agent back, and opens it."""
    agent = unarchive_agent(agent=agent_or_404(slug), actor=actor_of(request))
    messages.success(request, f"“{agent.name}” is back, exactly as it was.")
    return go_to(request, reverse("agentversions:agent_editor", args=[agent.slug]))


def _dialog(request: HttpRequest, name: str, agent: Agent, form: object) -> HttpResponse:
    is_refused = request.method == "POST"
    context = {"agent": agent, "form": form, "uses": uses_of(agent), "folders": list_folders(), "title": agent.name}
    return fragment_or_page(request, f"{FRAGMENTS}/{name}.html", context, status=422 if is_refused else 200)
