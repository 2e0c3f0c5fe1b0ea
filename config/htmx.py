"""Answers HTMX requests: the one helper for fragment-or-page, and the one for "done"."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_fragment(request: HttpRequest) -> bool:
    """Whether HTMX asks for a fragment; a boosted or history-restore request wants the whole page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def fragment_or_page(
    request: HttpRequest,
    fragment: str,
    context: dict[str, Any],
    *,
    page: str = "fragment_page.html",
    status: int = 200,
) -> HttpResponse:
    """The fragment for HTMX, the page around it for a plain visit. `page` includes `{{ fragment }}` itself."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, {**context, "fragment": fragment}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def done(
    request: HttpRequest, message: str, *, to: str, event: str, undo: str = "", detail: dict[str, Any] | None = None
) -> HttpResponse:
    """Success: for HTMX an emptied host, a toast and one event in the past tense; else a message and a redirect.

    `undo` is the address that takes it back by POST; the toast offers it.
    """
    if not wants_fragment(request):
        messages.success(request, message, extra_tags=f"undo:{undo}" if undo else "")
        return HttpResponseRedirect(to)
    response = render(request, "fragments/toast.html", {"message": message, "undo": undo, "is_out_of_band": True})
    response["HX-Trigger"] = json.dumps({event: detail or {}})
    return response


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser to another page, from HTMX or from a plain form."""
    if not wants_fragment(request):
        return HttpResponseRedirect(address)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = address
    return response
