"""The page that shows who wrote which line of a version's system prompt."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agentversions.core.roles import Permission
from agentversions.services.blame import blame_prompt

from .access import page, version_or_404


@page(Permission.READ)
def version_blame(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Each line of the prompt beside the version that introduced it, its author and its date."""
    version = version_or_404(slug, number)
    context = {"agent": version.agent, "version": version, "blamed": blame_prompt(version)}
    return render(request, "agentversions/version_blame.html", context)
