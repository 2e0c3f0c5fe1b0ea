"""Exports as downloads: one version, or an agent with all its versions."""

from typing import Literal

from django.http import HttpRequest, HttpResponse

from agentversions.core.roles import Permission
from agentversions.services.exporting import export_agent, export_version

from .access import agent_or_404, page, version_or_404

TYPES = {"json": "application/json", "zip": "application/zip"}


@page(Permission.READ)
def version_export(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version: `?as=json` (our document) or `?as=zip` (the portable folder)."""
    version, shape = version_or_404(slug, number), _shape(request)
    return _download(export_version(version=version, shape=shape), f"{slug}-v{number}.{shape}", shape)


@page(Permission.READ)
def agent_export(request: HttpRequest, slug: str) -> HttpResponse:
    """The agent with its draft and all its versions: `?as=zip` or `?as=json`."""
    agent, shape = agent_or_404(slug), _shape(request)
    return _download(export_agent(agent=agent, shape=shape), f"{slug}.{shape}", shape)


def _shape(request: HttpRequest) -> Literal["json", "zip"]:
    return "zip" if request.GET.get("as") == "zip" else "json"


def _download(content: bytes, name: str, shape: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=TYPES[shape], headers=headers)
