"""What the runtime is compared with: a bare Django view, and a bare WSGI callable, that return the same bytes."""

import os
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

BODY = Path(os.environ["BENCH_BODY"]).read_bytes()


@csrf_exempt
def view(request: HttpRequest) -> HttpResponse:
    """Reads the question, as every server of it must, and answers with the same bytes."""
    assert request.body
    return HttpResponse(BODY, content_type="application/json")


urlpatterns = [path("api/v1/resolve", view)]


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The least that any WSGI server can do."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]


def make_django() -> WSGIHandler:
    """Django with nothing around the view: no middleware, no apps, no database."""
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="bench", MIDDLEWARE=[])
    django.setup(set_prefix=False)
    return WSGIHandler()


if os.environ.get("BENCH_DJANGO"):
    application = make_django()
