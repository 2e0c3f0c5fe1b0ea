"""A voice platform on the other end of HTTP: it asks which configuration to run for each call, and sends records of the
calls afterwards, to the whole application on a port of this machine."""

import http.client
import itertools
import json
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from django.db import connections

from channels.runtime.application import Runtime
from tests.channels.runtime import running


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def application(store: Path, secret: str) -> Iterator[tuple[str, Runtime]]:
    """The product as gunicorn serves it: the runtime in front, Django behind; its address and the runtime."""
    django = get_wsgi_application()

    def behind(environ: Any, start_response: Any) -> Iterable[bytes]:
        try:
            return list(django(environ, start_response))
        finally:
            # A thread of its own for each request: it must not keep a connection of the test database.
            connections.close_all()

    with running(store, behind=behind, caller_secret=secret) as runtime:
        server = make_server("127.0.0.1", 0, runtime, server_class=_Server, handler_class=_Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", runtime
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@dataclass
class Platform:
    """Calls of a number: each is resolved; what `says` gives for a resolved call is sent as its record (None: nothing
    is ever heard of it)."""

    address: str
    number: str
    resolve_token: str
    calls_token: str
    taken: list[dict[str, Any]] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def run(self, callers: Iterable[int], says: Callable[[int, dict[str, Any]], dict[str, Any] | None]) -> None:
        """One call of each caller, then their records in one batch."""
        records = []
        for caller in callers:
            call_id, number = f"CA{next(self._ids)}", f"+336{caller:08d}"
            answer = self._post(
                "/api/v1/resolve", {"number": self.number, "caller": number, "call_id": call_id}, self.resolve_token
            )
            self.taken.append(answer)
            said = says(caller, answer)
            if said is not None:
                record = {"id": call_id, "caller": number, "called": self.number, "status": "ended", "duration_s": 90}
                records.append({**record, "resolution": answer["resolution"], **said})
        if records:
            self._post("/api/v1/calls", records, self.calls_token)

    def _post(self, path: str, body: Any, token: str) -> dict[str, Any]:
        line = http.client.HTTPConnection(self.address, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            line.request("POST", path, json.dumps(body).encode(), headers)
            response = line.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            line.close()
        assert response.status < 300, answer
        return answer
