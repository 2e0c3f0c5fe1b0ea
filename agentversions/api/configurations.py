"""Configurations by their digest: bytes that never change, so a cache may keep them for a year."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router

from agentversions.models import Configuration

from .authentication import READ_ALSO_SIGNED_IN
from .conditions import etag, is_known_already

router = Router()
FOR_EVER = "private, max-age=31536000, immutable"
CONTENT = {"content": {"application/json": {"schema": {"$ref": "/api/v1/configuration.schema.json"}}}}


@router.get(
    "/configurations/{str:digest}",
    auth=READ_ALSO_SIGNED_IN,
    url_name="configuration",
    summary="Read a configuration's bytes",
    openapi_extra={"responses": {200: {"description": "The canonical JSON (RFC 8785)", **CONTENT}}},
)
def read(request: HttpRequest, digest: str) -> Any:
    """The canonical JSON exactly as it is stored: its SHA-256 is the digest in the address."""
    body = (
        Configuration.objects.filter(digest=digest).values_list("body", flat=True).first() if digest.isalnum() else None
    )
    if body is None:
        raise Http404("There is no configuration with this digest.")
    headers = {"ETag": etag(digest), "Cache-Control": FOR_EVER}
    if is_known_already(request, digest):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body.encode(), content_type="application/json", headers=headers)
