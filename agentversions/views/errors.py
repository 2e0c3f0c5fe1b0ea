"""What is answered when something is wrong: a page, or a problem document below /api/, with a sentence either way."""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from agentversions.api.problems import problem

logger = logging.getLogger("django.request")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the browser sent something that cannot be read."""
    words = "What your browser sent could not be read, and nothing was changed. Go back, reload the page and try again."
    return _answer(request, 400, "bad-request", "This request cannot be read", words)


@requires_csrf_token
def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the sentence of the refusal says which role is missing."""
    words = str(exception) if exception and str(exception) else "Your roles do not allow this. Ask an admin."
    if request.path.startswith("/api/"):
        return problem("not-allowed", words)
    response = render(request, "403.html", {"exception": words}, status=403)
    if words.isascii():
        response["X-Problem"] = words
    return response


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: with the sentence that names what is missing, where a view said one."""
    said = exception.args[0] if exception and exception.args else ""
    words = said if isinstance(said, str) else ""
    if request.path.startswith("/api/"):
        return problem("not-found", words or "There is nothing at this address. GET /api/v1/docs lists what there is.")
    return render(request, "404.html", {"exception": words}, status=404)


@requires_csrf_token
def failed(request: HttpRequest) -> HttpResponse:
    """500, or 503 when it is the database that cannot be reached; neither asks the database anything."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        if request.method in SAFE_METHODS:
            words = "Nothing was changed. Wait a moment, then reload this page."
        else:
            words = (
                "Either all of your change was saved or nothing of it. Wait a moment, then look before you repeat it."
            )
        response = _answer(request, 503, "database-away", "The database cannot be reached", words)
        response["Retry-After"] = "5"
        return response
    words = "Try again. If it happens again, tell whoever runs this installation when it happened: the log says why."
    return _answer(request, 500, "server-error", "Something broke on our side", words)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that is too old, or that another site sent."""
    logger.warning("Form refused: %s", reason, extra={"request": request, "status_code": 403})
    words = (
        "This form is too old, or it was not sent from here. Nothing was changed. Go back, reload the page, send again."
    )
    response = _answer(request, 403, "not-allowed", "The form was not accepted", words)
    response["X-Problem"] = words
    return response


def _answer(request: HttpRequest, status: int, kind: str, title: str, words: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem(kind, f"{title}. {words}")
    return render(request, "error_page.html", {"title": title, "words": words}, status=status)
