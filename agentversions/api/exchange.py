"""Import and export: documents of other platforms and of our own, as the pages read and write them."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from agentversions.core.exchange import read_agent
from agentversions.core.importing import read_import
from agentversions.services.exporting import Shape, export_agent, export_version
from agentversions.services.importing import import_agent_copy, import_new_agent

from .addresses import agent_address
from .authentication import EDIT, READ, actor_of
from .finding import find_agent, find_version
from .schemas import ImportedAnswer

router = Router()
TYPES = {"json": "application/json", "zip": "application/zip"}
FileName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
FolderName = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
BYTES: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post(
    "/imports",
    auth=EDIT,
    response={201: ImportedAnswer},
    url_name="imports",
    summary="Import an agent",
    openapi_extra=BYTES,
)
def import_document(
    request: HttpRequest, response: HttpResponse, name: FileName = "document.json", folder: FolderName | None = None
) -> ImportedAnswer:
    """The body is the file itself: our own export (with all versions), a portable folder as zip, or a document of
    another platform. `name` is the file's name. What could not be mapped is kept under the extensions and listed."""
    actor = actor_of(request)
    copy = read_agent(request.body)
    if copy is not None:
        agent = import_agent_copy(copy=copy, folder=folder, actor=actor)
        kept: dict[str, Any] = {"format": "Agent Versions", "unmapped": [], "secrets": [], "warnings": []}
    else:
        read = read_import(name, request.body)
        agent = import_new_agent(content=read.configuration, source=name, folder=folder or "", actor=actor)
        kept = {
            "format": read.format,
            "unmapped": [str(entry) for entry in read.unmapped],
            "secrets": [str(entry) for entry in read.secrets],
            "warnings": [str(entry) for entry in read.warnings],
        }
    response["Location"] = agent_address(agent)
    versions = len(copy.versions) if copy else 0
    return ImportedAnswer(agent=agent.slug, versions=versions, digest=agent.draft_id, **kept)


@router.get("/agents/{slug:slug}/export", auth=READ, url_name="agent_export", summary="Export an agent")
def export_whole(request: HttpRequest, slug: str, shape: Literal["json", "zip"] = "json") -> HttpResponse:
    """The draft and every version, as one JSON document or as an archive; importing it gives the same digests."""
    return _file(export_agent(agent=find_agent(slug), shape=shape), slug, shape)


@router.get(
    "/agents/{slug:slug}/versions/{int:number}/export", auth=READ, url_name="version_export", summary="Export a version"
)
def export_one(request: HttpRequest, slug: str, number: int, shape: Literal["json", "zip"] = "json") -> HttpResponse:
    """As our JSON document, or as the portable folder in an archive."""
    return _file(export_version(version=find_version(slug, number), shape=shape), f"{slug}-v{number}", shape)


def _file(content: bytes, name: str, shape: Shape) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{shape}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=TYPES[shape], headers=headers)
