"""The database cut off under the application: through a proxy that a test cuts, asked as a server would ask."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.wsgi import get_wsgi_application
from django.db import connection

from channels.runtime.application import Runtime
from tests.channels.cuttable import Cuttable, cuttable


@contextmanager
def behind_a_proxy() -> Iterator[Cuttable]:
    """This process's own connections to the database go through a proxy that can be cut."""
    values = connection.settings_dict
    port, pool = values["PORT"], values["OPTIONS"].get("pool")
    with cuttable(values["HOST"], int(port)) as proxy:
        _reconnect(proxy.port, {**pool, "timeout": 0.5} if pool else pool)
        try:
            yield proxy
        finally:
            _reconnect(port, pool)


def _reconnect(port: int | str, pool: Any) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict["PORT"] = port
    if pool:
        connection.settings_dict["OPTIONS"]["pool"] = pool


def post(
    runtime: Runtime | None, path: str, body: bytes, *, kind: str = "application/json", **headers: str
) -> tuple[int, dict[str, str], Any]:
    """POST to the application as gunicorn serves it: status, headers, JSON. Without a runtime: Django alone."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": kind,
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    setup_testing_defaults(environ)
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        said.update(status=int(status[:3]), headers=dict(headers))

    answer = (runtime or get_wsgi_application())(environ, start_response)
    text = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return said["status"], said["headers"], json.loads(text)
