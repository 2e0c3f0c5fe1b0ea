"""The OpenFeature Remote Evaluation Protocol, answered from a worker's memory: one flag, or all of them."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from zoneinfo import ZoneInfo

from channels.core.flag_rules import ErrorCode, Situation, evaluate
from channels.core.flag_sets import FlagInForce
from channels.core.ofrep import BadContext, Context, answer_of, failure, read_context, status_of
from channels.core.phone_numbers import Caller, NotANumber, read_caller, read_number
from channels.core.routing import Unit, choose, unit_of

from .allowance import Allowance
from .facts import ChannelFacts
from .world import Unavailable, World

logger = logging.getLogger("channels.runtime")

ROOT = "/ofrep/v1/"
ALL_FLAGS = "/ofrep/v1/evaluate/flags"
ONE_FLAG = f"{ALL_FLAGS}/"
SCOPE = "flags"
MOST_BYTES = 64 * 1024
STATUS = {
    200: "200 OK",
    204: "204 No Content",
    304: "304 Not Modified",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    413: "413 Content Too Large",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}
Headers = list[tuple[str, str]]
Answer = tuple[int, dict[str, Any] | None, Headers]


class Ofrep:
    """Answers OpenFeature's clients. `hash_of` gives the keyed hash (hex) by which rules list callers; `per_second` is
    what one token may ask of one worker (0: without end); `origins` are web pages' that may ask from a browser."""

    def __init__(
        self,
        world: World,
        *,
        hash_of: Callable[[str], str],
        region: str | None,
        per_second: float = 0,
        origins: frozenset[str] = frozenset(),
    ) -> None:
        self._world = world
        self._hash_of = hash_of
        self._region = region
        self._allowance = Allowance(per_second)
        self._origins = origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request to an address under `ROOT`."""
        path = environ.get("PATH_INFO", "")
        try:
            status, document, headers = self._answer(environ, path)
        except BadContext as error:
            status, document, headers = 400, failure(error.code, str(error), key=_key_of(path)), []
        except Unavailable as error:
            headers = [("Retry-After", "2")]
            status, document = 503, failure(ErrorCode.GENERAL, str(error), key=_key_of(path))
        except Exception:
            logger.exception("A flag could not be evaluated.")
            words = "The flag could not be evaluated. The server's log says why."
            status, document, headers = 500, failure(ErrorCode.GENERAL, words, key=_key_of(path)), []
        body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        if document is not None:
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]
        headers = [("Cache-Control", "no-store"), *headers, *self._for_browsers(environ)]
        start_response(STATUS[status], headers)
        return [body] if document is not None else []

    def _answer(self, environ: WSGIEnvironment, path: str) -> Answer:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            return 204, None, []
        key = _key_of(path)
        if key is None and path != ALL_FLAGS:
            return 404, failure(ErrorCode.GENERAL, f"Only {ALL_FLAGS} and {ONE_FLAG}<key> are answered here."), []
        if environ["REQUEST_METHOD"] != "POST":
            return 405, failure(ErrorCode.GENERAL, "Use POST.", key=key), [("Allow", "POST, OPTIONS")]
        digest = hashlib.sha256(_secret_of(environ).encode("latin-1", "replace")).hexdigest()
        token = self._world.token(digest)
        if not token.is_valid(time.time()):
            words = "Send a valid token with the scope flags: Authorization: Bearer av_…  An admin makes one."
            ask = ("WWW-Authenticate", 'Bearer realm="Agent Versions"')
            return 401, failure(ErrorCode.GENERAL, words, key=key), [ask]
        if SCOPE not in token.scopes:
            return (
                403,
                failure(ErrorCode.GENERAL, "This token has not the scope flags. Make one that has.", key=key),
                [],
            )
        if seconds := self._allowance.seconds_to_wait(digest):
            words = f"This token asks too often. Ask again in {seconds} s, or ask for all flags at once."
            return 429, failure(ErrorCode.GENERAL, words, key=key), [("Retry-After", str(seconds))]
        context = read_context(_read_body(environ))
        return self._one(key, context) if key is not None else self._all(environ, context)

    def _one(self, key: str, context: Context) -> Answer:
        known = self._world.flag(key)
        if known is None:
            return 404, failure("FLAG_NOT_FOUND", f"There is no flag “{key[:100]}”. Make it under Flags.", key=key), []
        answer = answer_of(known.flag, evaluate(known.flag, self._situation(context)), revision=known.revision)
        return status_of(answer), answer, []

    def _all(self, environ: WSGIEnvironment, context: Context) -> Answer:
        situation = self._situation(context)
        flags = [
            answer_of(known.flag, evaluate(known.flag, situation), revision=known.revision)
            for known in self._flags_for(context)
        ]
        document = {"flags": flags}
        # Rules go by callers and hours, so that the answer itself is what may have changed.
        etag = f'"{hashlib.sha256(json.dumps(document).encode()).hexdigest()[:32]}"'
        asked = {each.strip().removeprefix("W/") for each in environ.get("HTTP_IF_NONE_MATCH", "").split(",")}
        if etag in asked:
            return 304, None, [("ETag", etag)]
        return 200, document, [("ETag", etag)]

    def _flags_for(self, context: Context) -> list[FlagInForce]:
        """All flags by key, or those of the agent that is named with those of all agents."""
        known = self._world.flags
        if context.agent:
            return list(known.of(context.agent).in_force)
        return [each for _, each in sorted(known.by_key.items())]

    def _situation(self, context: Context) -> Situation:
        channel = self._channel(context.channel)
        region = channel.region if channel else self._region
        caller = read_caller(context.targeting_key, region) if context.targeting_key else Caller(None)
        unit, counted = unit_of(caller.unit, context.call_id, "")
        return Situation(
            at=datetime.now(UTC),
            zone=ZoneInfo(channel.time_zone) if channel else UTC,
            unit=None if counted == Unit.CHANCE else unit,
            caller=self._hash_of(caller.unit) if caller.unit is not None else None,
            channel=channel.address if channel else context.channel or "",
            variant=context.variant or (self._variant(channel, unit) if counted != Unit.CHANCE else None),
        )

    def _channel(self, text: str | None) -> ChannelFacts | None:
        if text is None or not (text.isascii() and text.isprintable()):
            return None
        found = self._world.channel(text)
        if found is None:
            try:
                found = self._world.channel(read_number(text, self._region))
            except NotANumber:
                return None
        return found

    def _variant(self, channel: ChannelFacts | None, unit: str) -> str | None:
        """The variant of the channel's A/B test that this unit gets."""
        route = self._world.route(channel.route) if channel else None
        return choose(route.plan, unit).variant if route else None

    def _for_browsers(self, environ: WSGIEnvironment) -> Headers:
        """What lets a web page of an allowed origin read the answer."""
        origin = environ.get("HTTP_ORIGIN")
        if not self._origins or origin is None:
            return []
        if origin not in self._origins and "*" not in self._origins:
            return [("Vary", "Origin")]
        return [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", "POST, OPTIONS"),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, X-API-Key"),
            ("Access-Control-Expose-Headers", "ETag, Retry-After"),
            ("Access-Control-Max-Age", "600"),
        ]


def _key_of(path: str) -> str | None:
    """The flag that a path names; None when it names none."""
    return path[len(ONE_FLAG) :] if path.startswith(ONE_FLAG) and len(path) > len(ONE_FLAG) else None


def _secret_of(environ: WSGIEnvironment) -> str:
    """The token that came with a request, as a bearer or as `X-API-Key`; empty without one."""
    scheme, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return str(secret if scheme.lower() == "bearer" else environ.get("HTTP_X_API_KEY", "")).strip()


def _read_body(environ: WSGIEnvironment) -> bytes:
    text = environ.get("CONTENT_LENGTH") or ""
    length = min(int(text), MOST_BYTES + 1) if text.isdecimal() else MOST_BYTES + 1
    body: bytes = environ["wsgi.input"].read(length)
    if len(body) > MOST_BYTES:
        raise BadContext("PARSE_ERROR", f"The body has more than {MOST_BYTES // 1024} kB. Send only what rules need.")
    return body
