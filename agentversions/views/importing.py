"""The import page: read a document, show what was recognised, then create an agent or replace a draft."""

import base64

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.exchange import AgentCopy, read_agent
from agentversions.core.importing import Imported, read_import
from agentversions.core.problems import blocking, find_problems
from agentversions.core.reading import InvalidConfiguration, read_body
from agentversions.core.roles import Permission
from agentversions.forms.importing import ImportForm, ImportTargetForm
from agentversions.models import Agent
from agentversions.services.agent_list import list_folders
from agentversions.services.errors import Refused
from agentversions.services.importing import import_agent_copy, import_into_draft, import_new_agent
from config.htmx import done

from .access import actor_of, agent_or_404, page

PAGE, PREVIEW = "agentversions/agent_import.html", "agentversions/agent_import_preview.html"


@page(Permission.EDIT, "GET", "POST")
def agent_import(request: HttpRequest) -> HttpResponse:
    """GET asks for a document; the first POST shows what it holds, the second one (with a target) imports it."""
    into = request.GET.get("into", "")
    if request.method != "POST":
        return render(request, PAGE, {"form": ImportForm(), "into": into})
    if "content" in request.POST:
        return _import(request, into)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, PAGE, {"form": form, "into": into}, status=422)
    try:
        return _preview(request, form.cleaned_data["file_name"], form.cleaned_data["content"], into)
    except InvalidConfiguration as error:
        return render(request, PAGE, {"form": form, "into": into, "errors": error.errors}, status=422)


def _preview(
    request: HttpRequest,
    file_name: str,
    content: bytes,
    into: str,
    *,
    form: ImportTargetForm | None = None,
    refusal: str = "",
) -> HttpResponse:
    """What the document holds, with the form that says where it goes. Raises InvalidConfiguration."""
    copy = read_agent(content)
    imported = None if copy else read_import(file_name, content)
    configuration = read_body(copy.draft) if copy else imported.configuration  # type: ignore[union-attr]
    context = {
        "file_name": file_name,
        "content": base64.b64encode(content).decode(),
        "copy": copy,
        "imported": imported,
        "configuration": configuration,
        "problems": blocking(find_problems(configuration)),
        "form": form
        or ImportTargetForm(
            initial={"name": configuration.name, "target": into, "folder": copy.folder if copy else ""}
        ),
        "refusal": refusal,
        "agents": () if copy else Agent.objects.active().only("slug", "name", "folder"),
        "folders": list_folders(),
        "into": into,
    }
    return render(request, PREVIEW, context, status=422 if form or refusal else 200)


def _import(request: HttpRequest, into: str) -> HttpResponse:
    form = ImportTargetForm(request.POST)
    is_valid = form.is_valid()
    if "content" not in form.cleaned_data or "file_name" not in form.cleaned_data:
        return render(request, PAGE, {"form": form, "into": into}, status=422)
    file_name, content = form.cleaned_data["file_name"], form.cleaned_data["content"]
    try:
        if not is_valid:
            return _preview(request, file_name, content, into, form=form)
        copy = read_agent(content)
        return _copied(request, form, copy) if copy else _imported(request, form, read_import(file_name, content))
    except InvalidConfiguration as error:
        return render(request, PAGE, {"form": ImportForm(), "into": into, "errors": error.errors}, status=422)
    except Refused as refusal:
        return _preview(request, file_name, content, into, form=form, refusal=str(refusal))


def _copied(request: HttpRequest, form: ImportTargetForm, copy: AgentCopy) -> HttpResponse:
    """An exported agent, with its versions."""
    agent = import_agent_copy(copy=copy, folder=form.cleaned_data["folder"], actor=actor_of(request))
    return _arrived(request, agent, f"{agent.name} was imported with {len(copy.versions)} versions.")


def _imported(request: HttpRequest, form: ImportTargetForm, imported: Imported) -> HttpResponse:
    """A document, as a new agent or into the draft of an existing one."""
    source, actor = form.cleaned_data["file_name"], actor_of(request)
    content = _renamed(imported.configuration, form.cleaned_data["name"])
    if not form.cleaned_data["target"]:
        folder = form.cleaned_data["folder"]
        agent = import_new_agent(content=content, source=source, folder=folder, actor=actor)
        return _arrived(request, agent, f"{agent.name} was imported.")
    agent = agent_or_404(form.cleaned_data["target"])
    replaced = agent.draft_id
    agent = import_into_draft(agent=agent, content=imported.configuration, source=source, actor=actor)
    undo = reverse("agentversions:draft_take_back", args=[agent.slug, replaced]) if agent.draft_id != replaced else ""
    return _arrived(request, agent, f"The draft of {agent.name} is now what {source} holds.", undo)


def _renamed(content: AgentConfiguration, name: str) -> AgentConfiguration:
    """Under the name that was typed, if any; a name that was left as it is keeps its very spaces."""
    return content if name in {"", content.name.strip()} else content.model_copy(update={"name": name})


def _arrived(request: HttpRequest, agent: Agent, message: str, undo: str = "") -> HttpResponse:
    address = reverse("agentversions:agent_editor", args=[agent.slug])
    return done(request, message, to=address, event="agent-changed", undo=undo)
