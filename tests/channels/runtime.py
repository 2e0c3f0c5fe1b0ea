"""A runtime in this process, on the test database: asks it as a platform does, without a server between."""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from agentversions.services.tokens import make_token
from channels.runtime.application import Runtime
from tests.factories import make_user


@dataclass
class Answered:
    """An answer: its status, headers and JSON."""

    status: int
    headers: dict[str, str]
    json: dict[str, Any]
    body: bytes


def database_url() -> str:
    """The address of the test database, as the application's role."""
    values = connection.settings_dict
    return f"postgres://{values['USER']}:{quote(values['PASSWORD'])}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def resolve_token(*scopes: str) -> str:
    """The secret of a token; it may resolve unless other scopes are named."""
    admin = make_user("admin")
    return make_token(
        name="platform", roles=["viewer"], scopes=list(scopes or ("resolve",)), owner=admin, actor=admin
    ).secret


def call(
    runtime: Runtime,
    body: Any = None,
    *,
    path: str = "/api/v1/resolve",
    method: str = "POST",
    token: str = "",
    **environment: str,
) -> Answered:
    """One request; a body that is no bytes is sent as JSON; `environment` are headers as WSGI names them."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
        "HTTP_AUTHORIZATION": f"Bearer {token}" if token else "",
        **environment,
    }
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        said.update(status=int(status[:3]), headers=dict(headers))
        return lambda data: None

    answer = b"".join(runtime(environ, start_response))
    is_json = "json" in said["headers"].get("Content-Type", "json")
    return Answered(said["status"], said["headers"], json.loads(answer or b"{}") if is_json else {}, answer)


@contextmanager
def running(store: Path, **options: Any) -> Iterator[Runtime]:
    """A runtime that follows the test database."""
    options.setdefault("database_url", database_url())
    runtime = Runtime(store=store, memory=options.pop("memory", 16 * 1024 * 1024), **options)
    runtime.start()
    try:
        yield runtime
    finally:
        runtime.stop()


def eventually(is_so: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something is so; fails when it does not come to be."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "It did not come to be."
        time.sleep(0.01)
