"""Agents: list, create, duplicate, file, archive."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query
from pydantic import Field

from agentversions.core.reading import read_document
from agentversions.models import Agent
from agentversions.services.agents import (
    archive_agent,
    create_agent,
    duplicate_agent,
    move_to_folder,
    unarchive_agent,
)

from .addresses import agent_address, next_page
from .answers import agent_answer
from .authentication import EDIT, READ, actor_of, token_of
from .finding import find_agent
from .schemas import AgentAnswer, AgentList, NewAgent, NewDuplicate, NewFolder, WithReason

router = Router()
Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Size = Annotated[int, Field(ge=1, le=500)]


@router.get("/agents", auth=READ, response=AgentList, url_name="agents", summary="List agents")
def list_agents(
    request: HttpRequest,
    search: Words = Query(""),
    folder: Words | None = Query(None),
    archived: bool = Query(False),
    after: Words = Query(""),
    limit: Size = Query(100),
) -> AgentList:
    """By slug; `search` takes words of name, slug or folder; `folder` one folder; `archived` those put away."""
    found = Agent.objects.with_draft().select_related("created_by").filter(archived_at__isnull=not archived)
    found = found.search(search).filter(slug__gt=after).order_by("slug")
    if folder is not None:
        found = found.filter(folder=folder.strip("/"))
    rows = list(found[: limit + 1])
    shown = rows[:limit]
    following = next_page(request, after=shown[-1].slug) if len(rows) > limit else None
    return AgentList(items=[agent_answer(agent) for agent in shown], next=following)


@router.post("/agents", auth=EDIT, response={201: AgentAnswer}, url_name="agents", summary="Create an agent")
def create(request: HttpRequest, response: HttpResponse, body: NewAgent) -> AgentAnswer:
    """The configuration becomes the new agent's draft; publish it to get version 1."""
    agent = create_agent(
        content=read_document(body.configuration),
        slug=body.slug or "",
        folder=body.folder,
        reason=f"Created through the API by the token {token_of(request).name}",
        actor=actor_of(request),
    )
    response["Location"] = agent_address(agent)
    return agent_answer(agent)


@router.get("/agents/{slug:slug}", auth=READ, response=AgentAnswer, url_name="agent", summary="Read an agent")
def read(request: HttpRequest, slug: str) -> AgentAnswer:
    """Its name, folder and where its draft stands."""
    return agent_answer(find_agent(slug))


@router.post(
    "/agents/{slug:slug}/duplicate",
    auth=EDIT,
    response={201: AgentAnswer},
    url_name="agent_duplicate",
    summary="Duplicate an agent",
)
def duplicate(request: HttpRequest, response: HttpResponse, slug: str, body: NewDuplicate) -> AgentAnswer:
    """A new agent whose draft is a copy of this one's under a new name."""
    agent = duplicate_agent(agent=find_agent(slug), name=body.name, folder=body.folder, actor=actor_of(request))
    response["Location"] = agent_address(agent)
    return agent_answer(agent)


@router.put(
    "/agents/{slug:slug}/folder", auth=EDIT, response=AgentAnswer, url_name="agent_folder", summary="File an agent"
)
def file(request: HttpRequest, slug: str, body: NewFolder) -> AgentAnswer:
    """Puts the agent into a folder; an empty one is the top."""
    move_to_folder(agent=find_agent(slug), folder=body.folder, actor=actor_of(request))
    return agent_answer(find_agent(slug))


@router.post(
    "/agents/{slug:slug}/archive", auth=EDIT, response=AgentAnswer, url_name="agent_archive", summary="Archive an agent"
)
def archive(request: HttpRequest, slug: str, body: WithReason | None = None) -> AgentAnswer:
    """Refused while anything routes to it; the answer lists what does."""
    archive_agent(agent=find_agent(slug), reason=body.reason if body else "", actor=actor_of(request))
    return agent_answer(find_agent(slug))


@router.post(
    "/agents/{slug:slug}/unarchive",
    auth=EDIT,
    response=AgentAnswer,
    url_name="agent_unarchive",
    summary="Bring an agent back",
)
def unarchive(request: HttpRequest, slug: str) -> AgentAnswer:
    """Exactly as it was."""
    unarchive_agent(agent=find_agent(slug), actor=actor_of(request))
    return agent_answer(find_agent(slug))
