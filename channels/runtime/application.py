"""The WSGI application of the runtime: /api/v1/resolve, /metrics, /healthz, /readyz; other addresses go behind it."""

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from channels.core.caller_keys import CallerKeys
from config.exposition import CONTENT_TYPE, exposition

from . import ofrep, twilio
from .database import Database
from .listener import Listener
from .meters import Meters
from .misses import Misses
from .resolving import MOST_BYTES, Refusal, Resolver, read_question
from .routed import RoutedSpool
from .routed_shipper import RoutedShipper
from .store import Store
from .store_keeper import StoreKeeper
from .world import Unavailable, World

logger = logging.getLogger("channels.runtime")

WORLD = "agent_versions.world"
"""Where a request that goes on to what is behind finds the runtime's memory: it knows tokens without the database."""
ROUTED_LIMIT = 256 * 1024 * 1024
"""Bytes of decisions of rollouts that wait, unless the caller brings a spool with a limit of its own."""
RESOLVE = "/api/v1/resolve"
METRICS = "/metrics"
TWILIO = "/twilio/voice"
KINDS = {
    "bad-request": ("400 Bad Request", "The request cannot be read"),
    "no-token": ("401 Unauthorized", "A valid token is needed"),
    "not-allowed": ("403 Forbidden", "Not allowed"),
    "not-found": ("404 Not Found", "Not found"),
    "not-live": ("404 Not Found", "Nothing is live"),
    "method-not-allowed": ("405 Method Not Allowed", "This address does not take that method"),
    "too-large": ("413 Content Too Large", "Too large"),
    "invalid": ("422 Unprocessable Content", "Some fields are wrong"),
    "server-error": ("500 Internal Server Error", "The server failed"),
    "database-away": ("503 Service Unavailable", "The database cannot be reached"),
}
NO_TOKEN = "Send a valid token with the scope resolve: Authorization: Bearer av_…  An admin makes one under API tokens."  # noqa: S105
NO_METRICS_TOKEN = (
    "Send a valid token with the scope metrics: Authorization: Bearer av_…  An admin makes one under API tokens."  # noqa: S105
)

ASK_FOR_TOKEN = ("WWW-Authenticate", 'Bearer realm="Agent Versions"')


@dataclass(frozen=True)
class Twilio:
    """What Twilio's webhook needs: the account's auth token, where its media stream goes, and our own address."""

    auth_token: str
    stream_url: str
    public_url: str


class Runtime:
    """Begins its threads at the first request, or by `start`: always after the fork."""

    def __init__(
        self,
        *,
        database_url: str,
        store: Path,
        memory: int,
        routed: RoutedSpool | None = None,
        region: str | None = None,
        behind: WSGIApplication | None = None,
        for_twilio: Twilio | None = None,
        listens: bool = True,
        facts: Callable[[], dict[str, Any]] = dict,
        caller_secret: str = "",
        flags_per_second: float = 0,
        flag_origins: frozenset[str] = frozenset(),
        metrics_are_open: bool = False,
    ) -> None:
        self._url = database_url
        self._listens = listens
        self._behind = behind
        self._twilio = for_twilio
        self._facts = facts
        self._begin = threading.Lock()
        self._process: int | None = None
        self.misses = Misses()
        self.world = World(Database(database_url), Store(store), limit=memory)
        self.keeper = StoreKeeper(database_url, store)
        self.routed = routed or RoutedSpool(store.with_name("routed_spool"), limit=ROUTED_LIMIT)
        self.shipper = RoutedShipper(database_url, self.routed)
        self.meters = Meters(lambda: self.world.age)
        self._metrics_are_open = metrics_are_open
        callers = CallerKeys(caller_secret.encode())

        def hash_of(caller: str) -> str:
            return callers.hash_of(caller).hex()

        self._resolver = Resolver(
            self.world, self.misses, region=region, hash_of=hash_of, note=self.routed.note, count=self.meters.routed
        )
        self._ofrep = ofrep.Ofrep(
            self.world,
            hash_of=hash_of,
            region=region,
            per_second=flags_per_second,
            origins=flag_origins,
        )
        self._answers: dict[str, Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]] = {
            RESOLVE: self._resolve,
            TWILIO: self._answer_twilio,
            METRICS: self._metrics,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
        }

    def start(self, *, patience: float = 2.0) -> None:
        """Begin to follow the log; waits so many seconds for the first look, so that no answer is stale needlessly."""
        with self._begin:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self.world.start_from_store()
            self.listener = Listener(
                self._url, self.world, self.misses, moved=self.keeper.moved.set, listens=self._listens
            )
            self.listener.start()
            self.keeper.start()
            self.shipper.start()
            self.meters.start()
            self.listener.first_look.wait(patience)

    def stop(self) -> None:
        """End the threads and close what they hold: for tests, and for programs that outlive their runtime."""
        for thread in (self.listener, self.keeper, self.shipper, self.meters):
            thread.stop()
        self.world.database.close()
        self.world.store.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        path = environ.get("PATH_INFO", "")
        answer = self._answers.get(path)
        if answer is None and path.startswith(ofrep.ROOT):
            answer = self._ofrep
        if answer is None:
            if self._behind is None:
                return _problem(start_response, "not-found", f"Only {RESOLVE}, /healthz and /readyz are answered here.")
            if self._process == os.getpid():
                environ[WORLD] = self.world
            return self._behind(environ, start_response)
        if self._process != os.getpid():
            self.start()
        started, kind = time.perf_counter(), "ok"
        try:
            return answer(environ, start_response)
        except Refusal as refusal:
            kind = refusal.kind
            return _problem(start_response, refusal.kind, refusal.detail, refusal.headers)
        except Unavailable as error:
            kind = "database-away"
            return _problem(start_response, kind, str(error), [("Retry-After", "2")])
        except Exception:
            logger.exception("A call could not be resolved.")
            kind = "server-error"
            return _problem(start_response, kind, "This call could not be resolved. The log says why.")
        finally:
            if path == RESOLVE:
                self.meters.resolved(kind, time.perf_counter() - started)

    def _metrics(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """What Prometheus reads: of all processes of this machine."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise Refusal("method-not-allowed", "Use GET.", [("Allow", "GET")])
        if not self._metrics_are_open:
            self._require(environ, "metrics", NO_METRICS_TOKEN)
        self.meters.count()
        body = exposition()
        headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response("200 OK", headers)
        return [body]

    def _require(self, environ: WSGIEnvironment, scope: str, words: str) -> None:
        """Raises Refusal unless the request brings a valid token of this scope."""
        scheme, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        digest = hashlib.sha256(secret.strip().encode("latin-1", "replace")).hexdigest()
        token = self.world.token(digest) if scheme.lower() == "bearer" else None
        if token is None or not token.is_valid(time.time()) or scope not in token.scopes:
            raise Refusal("no-token", words, [ASK_FOR_TOKEN])

    def _resolve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            raise Refusal("method-not-allowed", "Use POST.", [("Allow", "POST")])
        self._require(environ, "resolve", NO_TOKEN)
        body = self._resolver.resolve(read_question(_read_body(environ)))
        start_response(
            "200 OK",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [body]

    def _answer_twilio(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Twilio's webhook for an incoming call: TwiML that connects it to the media stream with the decision."""
        if self._twilio is None:
            return _problem(start_response, "not-found", "Set TWILIO_AUTH_TOKEN and TWILIO_STREAM_URL first.")
        if environ["REQUEST_METHOD"] != "POST":
            return _problem(start_response, "method-not-allowed", "Use POST.", [("Allow", "POST")])
        parameters = twilio.read_parameters(_read_body(environ))
        query = environ.get("QUERY_STRING", "")
        address = f"{self._twilio.public_url}{TWILIO}" + (f"?{query}" if query else "")
        signature = environ.get("HTTP_X_TWILIO_SIGNATURE", "")
        if not twilio.is_signed(address, parameters, signature, self._twilio.auth_token):
            return _problem(start_response, "not-allowed", "The signature is not Twilio's for this address and form.")
        values = dict(parameters)
        question = {"number": values.get("To", ""), "caller": values.get("From"), "call_id": values.get("CallSid")}
        answer = json.loads(self._resolver.resolve(read_question(json.dumps(question).encode())))
        body = twilio.twiml(answer, self._twilio.stream_url)
        start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]

    def _healthz(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """This process is alive; says nothing of the database."""
        return _json(start_response, "200 OK", {"status": "alive"})

    def _readyz(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Calls can be answered: from a fresh memory, or from what is known."""
        world = self.world
        is_fresh = world.is_fresh()
        is_ready = is_fresh or world.store.is_complete()
        facts: dict[str, Any] = {
            "status": "ready" if is_ready else "not ready",
            "worker": os.getpid(),
            "stale": not is_fresh,
            "age_s": round(world.age, 1) if world.age < float("inf") else None,
            "generation": world.generation or world.store.generation,
            "store_generation": world.store.generation,
            "channels_in_memory": len(world.channels),
            "memory_bytes": sum(each.used for each in world.memories),
            **self.routed.facts(),
            "flags": len(world.flags.by_key) if is_ready else None,
            "flags_skipped": world.notes.count,
            **self._facts(),
        }
        return _json(start_response, "200 OK" if is_ready else "503 Service Unavailable", facts)


def _read_body(environ: WSGIEnvironment) -> bytes:
    text = environ.get("CONTENT_LENGTH") or ""
    # One byte more than is allowed tells that there is too much; the rest is never read into memory.
    length = min(int(text), MOST_BYTES + 1) if text.isdecimal() else MOST_BYTES + 1
    body: bytes = environ["wsgi.input"].read(length)
    return body


def _problem(
    start_response: StartResponse, kind: str, detail: str, headers: list[tuple[str, str]] | None = None
) -> Iterable[bytes]:
    status, title = KINDS[kind]
    document = {"type": f"/api/v1/docs#{kind}", "title": title, "status": int(status[:3]), "detail": detail}
    return _json(start_response, status, document, "application/problem+json", headers)


def _json(
    start_response: StartResponse,
    status: str,
    value: dict[str, Any],
    content_type: str = "application/json",
    headers: list[tuple[str, str]] | None = None,
) -> Iterable[bytes]:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    start_response(
        status,
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *(headers or []),
        ],
    )
    return [body]
