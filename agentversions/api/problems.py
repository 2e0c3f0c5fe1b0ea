"""Errors as RFC 9457 problem documents: what happened, and a sentence that says what to do."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from agentversions.core.canonical_json import MAX_BYTES, NotCanonicalisable
from agentversions.core.merging import Conflict
from agentversions.core.paths import MISSING
from agentversions.core.reading import InvalidConfiguration
from agentversions.services import errors
from agentversions.services.evaluations import errors as evaluation_errors

logger = logging.getLogger("django.request")

KINDS: dict[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "no-token": (401, "A valid token is needed"),
    "not-allowed": (403, "Not allowed"),
    "not-found": (404, "Not found"),
    "not-live": (404, "Nothing is live"),
    "method-not-allowed": (405, "This address does not take that method"),
    "agent-archived": (409, "The agent is archived"),
    "agent-in-use": (409, "The agent is in use"),
    "slug-taken": (409, "The address is taken"),
    "library-moved": (409, "The library entry moved on"),
    "suite-moved": (409, "The suite moved on"),
    "name-clash": (409, "The draft has this name already"),
    "edits-conflict": (409, "Both sides changed the same field"),
    "nothing-to-publish": (409, "Identical to a version"),
    "published-meanwhile": (409, "Somebody else published meanwhile"),
    "routes-frozen": (409, "Routes are frozen"),
    "not-ready": (409, "The version may not go to callers yet"),
    "request-open": (409, "Somebody asked already"),
    "request-over": (409, "The request has ended"),
    "request-moved": (409, "Something moved since you looked"),
    "already-decided": (409, "You decided already"),
    "refused": (409, "Refused"),
    "draft-moved": (412, "The draft moved on"),
    "too-large": (413, "Too large"),
    "invalid": (422, "Some fields are wrong"),
    "not-publishable": (422, "Not publishable yet"),
    "digest-needed": (428, "Say which draft you mean"),
    "server-error": (500, "The server failed"),
    "database-away": (503, "The database cannot be reached"),
}
"""Every kind of problem: the end of its `type`, its status, its title. The page of the API explains them."""

KIND_OF_REFUSAL: dict[type[errors.Refused], str] = {
    errors.NotAllowed: "not-allowed",
    errors.AgentArchived: "agent-archived",
    errors.AgentInUse: "agent-in-use",
    errors.SlugTaken: "slug-taken",
    errors.DraftMoved: "draft-moved",
    errors.EditsConflict: "edits-conflict",
    errors.NotPublishable: "not-publishable",
    errors.NameMissing: "invalid",
    errors.NothingToPublish: "nothing-to-publish",
    errors.PublishedMeanwhile: "published-meanwhile",
    errors.UnknownVersion: "not-found",
    errors.NotLive: "not-live",
    errors.LibraryMoved: "library-moved",
    errors.NameClash: "name-clash",
    errors.ReasonMissing: "invalid",
    errors.RoutesFrozen: "routes-frozen",
    errors.FreezeRefused: "invalid",
    errors.NotReady: "not-ready",
    errors.RulesRefused: "invalid",
    errors.RequestRefused: "invalid",
    errors.RequestOpen: "request-open",
    errors.RequestOver: "request-over",
    errors.RequestMoved: "request-moved",
    errors.AlreadyDecided: "already-decided",
    evaluation_errors.SuiteRefused: "invalid",
    evaluation_errors.SuiteMoved: "suite-moved",
    evaluation_errors.CasesRefused: "invalid",
    evaluation_errors.RunRefused: "invalid",
    evaluation_errors.MarkRefused: "invalid",
}
FIELD_OF_REFUSAL = {errors.NameMissing: "name", errors.ReasonMissing: "reason"}


class SignInFirst(Exception):
    """A page was opened in a browser without a session."""


class DigestNeeded(Exception):
    """The request changes a draft without saying which state of it the caller saw."""


def problem(kind: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> HttpResponse:
    """A problem document; `members` are its own additions (`errors`, `digest`, `conflicts`, `uses`)."""
    status, title = KINDS[kind]
    document = {"type": f"/api/v1/docs#{kind}", "title": title, "status": status, "detail": detail, **members}
    return JsonResponse(document, status=status, headers=headers, content_type="application/problem+json")


def register_problems(api: NinjaAPI) -> None:
    """Let every exception that an operation may raise become a problem document."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        errors.Refused: _refused,
        InvalidConfiguration: _invalid_configuration,
        ValidationError: _invalid_request,
        HttpError: _unreadable,
        RequestDataTooBig: lambda request, error: _too_large(),
        SuspiciousOperation: lambda request, error: problem("bad-request", f"{str(error).rstrip('.')}."),
        AuthenticationError: lambda request, error: no_token(),
        PermissionDenied: lambda request, error: problem("not-allowed", str(error)),
        Http404: lambda request, error: problem("not-found", str(error)),
        SignInFirst: lambda request, error: redirect_to_login(request.get_full_path()),
        DigestNeeded: lambda request, error: problem("digest-needed", str(error)),
        OperationalError: _database_away,
        InterfaceError: _database_away,
        Exception: _failed,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def no_token() -> HttpResponse:
    """The same answer whatever is wrong with a token, so that it tells a guesser nothing."""
    words = "Send a valid token in the header: Authorization: Bearer av_…  An admin makes one under API tokens."
    return problem("no-token", words, headers={"WWW-Authenticate": 'Bearer realm="Agent Versions"'})


def _refused(request: HttpRequest, error: errors.Refused) -> HttpResponse:
    kind = next((KIND_OF_REFUSAL[kind] for kind in type(error).__mro__ if kind in KIND_OF_REFUSAL), "refused")
    return problem(kind, str(error), **_members(error))


def _members(error: errors.Refused) -> dict[str, Any]:
    """What a program needs to go on, beside the sentence."""
    match error:
        case errors.DraftMoved():
            return {"digest": error.digest}
        case errors.EditsConflict():
            return {"digest": error.digest, "conflicts": [_conflict(conflict) for conflict in error.conflicts]}
        case errors.NotPublishable():
            return {"errors": [{"path": found.path, "detail": found.message} for found in error.problems]}
        case errors.NothingToPublish() | errors.PublishedMeanwhile():
            return {"version": error.version.number}
        case errors.AgentInUse():
            return {"uses": list(error.uses)}
    field = FIELD_OF_REFUSAL.get(type(error))
    return {"errors": [{"path": field, "detail": str(error)}]} if field else error.members


def _conflict(conflict: Conflict) -> dict[str, Any]:
    sides = {"base": conflict.base, "mine": conflict.mine, "theirs": conflict.theirs}
    return {"path": conflict.path, **{side: value for side, value in sides.items() if value is not MISSING}}


def _invalid_configuration(request: HttpRequest, error: InvalidConfiguration) -> HttpResponse:
    fields = [{"path": field.path, "detail": field.message} for field in error.errors]
    return problem("invalid", str(error), errors=fields)


def _invalid_request(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = [_field(detail) for detail in error.errors]
    return problem("invalid", " ".join(field["detail"] for field in fields), errors=fields)


def _field(detail: dict[str, Any]) -> dict[str, str]:
    """A pydantic error as a path inside the body (or the parameter's name) and a sentence."""
    source, *steps = detail["loc"]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps[source == "body" :]).lstrip(
        "."
    )
    place = f"“{path}”" if path else "The body"
    if detail["type"] == "missing":
        return {"path": path, "detail": f"{place} is missing." if path else "Send a JSON object as the body."}
    if detail["type"] == "extra_forbidden":
        return {"path": path, "detail": f"{place} is not known here. Remove it."}
    message = str(detail["msg"]).removeprefix("Value error, ").rstrip(".")
    return {"path": path, "detail": f"{place}: {message}."}


def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja wraps what the strict reader raised."""
    if isinstance(error.__cause__, NotCanonicalisable):
        if len(request.body) > MAX_BYTES:
            return _too_large()
        return problem("bad-request", str(error.__cause__))
    return problem("bad-request" if error.status_code < 500 else "server-error", str(error))


def _too_large() -> HttpResponse:
    words = f"The request is larger than {MAX_BYTES / 1e6:.0f} MB. Move long texts into a knowledge base."
    return problem("too-large", words)


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The database cannot be reached", exc_info=error, extra={"request": request})
    words = (
        "Nothing was changed unless this was a publish or another change at its very end: read before you repeat it."
    )
    return problem("database-away", f"The database cannot be reached. {words}", headers={"Retry-After": "5"})


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("An operation of the API failed", exc_info=error, extra={"request": request})
    return problem("server-error", "The server could not do this, and nothing was changed. The log says why.")
