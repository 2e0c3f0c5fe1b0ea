"""What taking records needs, whoever sends them: the body, the answer, and who may while the database is away."""

import hashlib
import time
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja.responses import Status

from agentversions.api.authentication import Token
from agentversions.api.problems import problem
from agentversions.api.schemas import Answer
from agentversions.models import ApiToken
from agentversions.services.tokens import find_token, note_use
from channels.runtime.application import WORLD
from channels.runtime.facts import TokenFacts
from channels.runtime.world import Unavailable, World
from monitoring.core.records import CallRecord
from monitoring.services.outages import DATABASE_ERRORS, is_outage, note_outage, was_just_away
from monitoring.services.receiving import receive
from monitoring.services.spool import SpoolRefused

MOST_BYTES = 12 * 1024 * 1024
UNKNOWN = "The database cannot be reached, and this token cannot be checked without it. Send this again."


class TooLarge(ValueError):
    """More than is taken at once; the message is a sentence."""


class RefusedRecord(Answer):
    """A record that was not taken: its place in the list (from 0), its id if it has one, and why."""

    index: int
    id: str | None
    reason: str


class Taken(Answer):
    """How many calls were taken in, and the records that were not."""

    calls: int
    refused: list[RefusedRecord]


class Sender(Token):
    """A token with the scope `calls`: a voice platform that sends records and can do nothing else with it."""

    def authenticate(self, request: HttpRequest, token: str) -> Any | None:
        """The token, once it is known and may send calls. Raises Unavailable when that cannot be checked."""
        secret = token.strip()
        if not is_database_away(request):
            try:
                return self._from_database(secret)
            except DATABASE_ERRORS as error:
                if not is_outage(error):
                    raise
                note_outage()
        return self._from_memory(request, secret)

    @property
    def needs(self) -> str:
        """What a token needs, in words."""
        return "the scope “calls”"

    def _from_database(self, secret: str) -> ApiToken | None:
        found = find_token(secret)
        if found is None:
            return None
        self._refuse_without_scope(found.scopes, f"The token “{found.name}”")
        note_use(found)
        return found

    def _from_memory(self, request: HttpRequest, secret: str) -> TokenFacts | None:
        """As the runtime knows tokens: from its memory, or from the last-known-good store."""
        world = _world_of(request)
        if world is None:
            raise Unavailable(UNKNOWN)
        found = world.token(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest())
        if not found.is_valid(time.time()):
            return None
        self._refuse_without_scope(found.scopes, "This token")
        return found

    def _refuse_without_scope(self, scopes: Any, name: str) -> None:
        if "calls" not in scopes:
            raise PermissionDenied(f"{name} may not do this. It needs {self.needs}.")


def is_database_away(request: HttpRequest) -> bool:
    """Whether the database did not answer in the last seconds, as the runtime or a request before knows."""
    world = _world_of(request)
    return was_just_away() or (world is not None and not world.is_fresh())


def _world_of(request: HttpRequest) -> World | None:
    found = request.META.get(WORLD)
    return found if isinstance(found, World) else None


def read_body(request: HttpRequest) -> bytes:
    """The body, also one in chunks, whose length Django does not know. Raises TooLarge."""
    words = "Send at most 12 MB at once. Send the rest in another request."
    try:
        if request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            body: bytes = request.META["wsgi.input"].read(MOST_BYTES + 1)
        else:
            body = request.body
    except RequestDataTooBig:
        raise TooLarge(words) from None
    if len(body) > MOST_BYTES:
        raise TooLarge(words)
    return body


def take(
    request: HttpRequest, records: list[CallRecord], refused: list[RefusedRecord], *, source: str
) -> Status[Taken] | HttpResponse:
    """Keep the records and answer: 200 when they are stored, 202 when they wait in the spool, 503 when neither is."""
    try:
        received = receive(records, source=source, is_away=is_database_away(request))
    except SpoolRefused as error:
        return problem("database-away", str(error), headers={"Retry-After": "30"})
    return Status(200 if received.is_stored else 202, Taken(calls=received.calls, refused=refused))
