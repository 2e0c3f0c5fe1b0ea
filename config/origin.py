"""Where a change comes from: set by what starts the work, read by the audit trail when something is recorded.

A page, an API token, a webhook, a management command, a worker's task, or git; none where nobody said (a shell).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PAGE, TOKEN, WEBHOOK, COMMAND, WORKER, GIT = "page", "token", "webhook", "command", "worker", "git"
LONGEST_NAME = 200


@dataclass(frozen=True)
class Origin:
    """`kind` is one of the words above; `name` the page's path, the token's, the command's or the task's name, the
    commit; `address` the client's IP address, empty where there is none."""

    kind: str = ""
    name: str = ""
    address: str = ""


_current: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  frozen


def current_origin() -> Origin:
    """Where the work of this thread or task comes from."""
    return _current.get()


@contextmanager
def originating(origin: Origin) -> Iterator[None]:
    """Everything inside comes from there."""
    before = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(before)


def came_by_token(name: str) -> None:
    """The request under way is a program's, by the token of this name; its address stays."""
    _current.set(replace(_current.get(), kind=TOKEN, name=name[:LONGEST_NAME]))


def request_origin(get_response: "Callable[[HttpRequest], HttpResponse]") -> "Callable[[HttpRequest], HttpResponse]":
    """Middleware: a request comes from its page; below /api/ from a webhook, until a token is known."""

    def middleware(request: "HttpRequest") -> "HttpResponse":
        kind = WEBHOOK if request.path.startswith("/api/") else PAGE
        with originating(Origin(kind, request.path[:LONGEST_NAME], client_address(request.META))):
            return get_response(request)

    return middleware


def task_origin(process_task: Callable[[], Any], context: Any, worker: Any) -> Any:
    """Middleware of the worker: what a task does comes from that task."""
    with originating(Origin(WORKER, context.job.task_name[:LONGEST_NAME])):
        return process_task()


def client_address(headers: Any) -> str:
    """The client's IP address. Behind a trusted proxy it is the last that `X-Forwarded-For` names: the proxy's own
    word, which no client can write; what stands before it may be made up."""
    from django.conf import settings

    candidates = [headers.get("REMOTE_ADDR", "")]
    if settings.TRUST_PROXY:
        candidates.insert(0, headers.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2])
    return next((found for each in candidates if (found := _address(each.strip()))), "")


def _address(text: str) -> str:
    """The address without port and brackets; empty for what is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        # A zone (fe80::1%eth0) is the machine's own business, and PostgreSQL's type has none.
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
