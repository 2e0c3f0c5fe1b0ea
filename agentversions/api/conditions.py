"""Conditional requests: a digest is an entity tag, so `If-Match` says which draft a caller saw."""

import re

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from agentversions.core.digest import DIGEST_PATTERN

from .problems import DigestNeeded

TAG = re.compile(rf'\s*"?({DIGEST_PATTERN.pattern})"?\s*')


def digest_seen(request: HttpRequest) -> str | None:
    """The digest in `If-Match`; None without the header or with `*` (whatever it is). Raises DigestNeeded."""
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    match = TAG.fullmatch(header)
    if match is None:
        raise DigestNeeded("Send one digest in If-Match, as GET …/draft gave it in its ETag.")
    return match[1]


def require_condition(request: HttpRequest) -> str | None:
    """The same, but the header must be there: a draft is never overwritten by accident. Raises DigestNeeded."""
    if "If-Match" not in request.headers:
        raise DigestNeeded(
            "Send If-Match with the digest that GET …/draft gave in its ETag, so that nobody else's save is "
            "overwritten; `If-Match: *` overwrites on purpose."
        )
    return digest_seen(request)


def is_known_already(request: HttpRequest, digest: str) -> bool:
    """Whether `If-None-Match` names this digest."""
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return tags == ["*"] or any(tag.removeprefix("W/") == etag(digest) for tag in tags)


def etag(digest: str) -> str:
    """The entity tag of a digest."""
    return f'"{digest}"'


def not_modified(digest: str) -> HttpResponse:
    """304: the caller has it."""
    return HttpResponse(status=304, headers={"ETag": etag(digest)})
