"""Call records over the API: taken one at a time, as a list, or as lines; read by filter."""

import gzip
import io
from datetime import datetime
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ, Token
from agentversions.api.problems import problem
from agentversions.api.schemas import Answer
from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.roles import Permission
from agentversions.models import Agent, ApiToken
from agentversions.services.tokens import find_token, note_use
from monitoring.core.call_filter import read_filter
from monitoring.core.page_key import read_key
from monitoring.core.records import BadRecord, CallRecord, read_record
from monitoring.models import Call
from monitoring.services.call_list import list_calls
from monitoring.services.ingest import ingest

router = Router()
MOST_RECORDS = 1_000
MOST_BYTES = 12 * 1024 * 1024
Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class Sender(Token):
    """A token with the scope `calls`: a voice platform that sends records and can do nothing else with it."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token, once it is known and may send calls."""
        found = find_token(token.strip())
        if found is None:
            return None
        if "calls" not in found.scopes:
            raise PermissionDenied(f"The token “{found.name}” may not do this. It needs {self.needs}.")
        note_use(found)
        return found

    @property
    def needs(self) -> str:
        """What a token needs, in words."""
        return "the scope “calls”"


class RefusedRecord(Answer):
    """A record that was not taken: its place in the list (from 0), its id if it has one, and why."""

    index: int
    id: str | None
    reason: str


class Taken(Answer):
    """How many calls were taken in, and the records that were not."""

    calls: int
    refused: list[RefusedRecord]


class CallAnswer(Answer):
    """A call. `version` is 0 for the draft and null where nobody knows; callers are masked."""

    id: str
    started_at: datetime
    agent: str | None
    version: int | None
    variant: str
    number: str
    caller: str
    is_over: bool
    duration_ms: int | None
    engaged: bool | None
    transferred: bool | None
    is_error: bool | None
    evaluation: str | None
    sentiment: int | None
    ended_reason: str
    attribution: str
    is_test: bool


class CallList(Answer):
    """Calls, newest first; `next` is the address of the older ones, null at the end."""

    items: list[CallAnswer]
    next: str | None


@router.post("/calls", auth=Sender(Permission.READ), response=Taken, url_name="calls", summary="Send call records")
def send(request: HttpRequest) -> Taken | HttpResponse:
    """One record, a list of up to 1,000, or one per line (application/x-ndjson); gzip is read.

    Repeating a record changes nothing; records of one call may come in any order. 200 means that what was taken is
    stored. A record that is wrong is refused with its index, and the rest is kept.
    """
    try:
        documents = _documents(request)
    except NotCanonicalisable as error:
        return problem("bad-request", str(error))
    except ValueError as error:
        return problem("too-large", str(error))
    records: list[CallRecord] = []
    refused: list[RefusedRecord] = []
    for index, document in enumerate(documents):
        try:
            if isinstance(document, NotCanonicalisable):
                raise BadRecord(str(document))
            records.append(read_record(document))
        except BadRecord as error:
            named = document.get("id") if isinstance(document, dict) else None
            refused.append(RefusedRecord(index=index, id=str(named)[:200] if named else None, reason=str(error)))
    return Taken(calls=ingest(records, source="api"), refused=refused)


@router.get("/calls", auth=READ, response=CallList, url_name="calls", summary="List calls")
def list_all(
    request: HttpRequest,
    agent: Word = "",
    version: Word = "",
    variant: Word = "",
    channel: Word = "",
    outcome: Word = "",
    sentiment: Word = "",
    days: Word = "",
    since: Word = "",
    until: Word = "",
    caller: Word = "",
    tests: Word = "",
    before: Word = "",
) -> CallList | HttpResponse:
    """By the filters of the page: `version` is a number, `draft` or `unknown` and needs `agent`; fifty at a time."""
    wanted = read_filter(dict(request.GET.lists()))
    if wanted.problems:
        errors = [{"path": name, "detail": words} for name, words in wanted.problems]
        return problem("invalid", " ".join(words for _, words in wanted.problems), errors=errors)
    key = read_key(before)
    if before and key is None:
        return problem("invalid", "“before” is not as a list gave it. Use the address in “next”.")
    page = list_calls(wanted, before=key)
    slugs = dict(Agent.objects.filter(pk__in=page.agents).values_list("pk", "slug"))
    following = next_page(request, before=str(page.older)) if page.older else None
    return CallList(items=[_answer(call, slugs) for call in page.calls], next=following)


def _documents(request: HttpRequest) -> list[Any]:
    """The records as JSON values; a line that is none stands as its error. Raises ValueError when it is too much."""
    body = request.body
    if request.headers.get("Content-Encoding", "").lower() == "gzip":
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            try:
                body = packed.read(MOST_BYTES + 1)
            except (OSError, EOFError) as error:
                raise NotCanonicalisable(f"The body is no gzip ({error}).") from error
    if len(body) > MOST_BYTES:
        raise ValueError("Send at most 12 MB at once, unpacked. Send the rest in another request.")
    if "ndjson" in request.headers.get("Content-Type", ""):
        documents = [_parsed(line) for line in body.splitlines() if line.strip()]
    else:
        found = parse(body)
        documents = found if isinstance(found, list) else [found]
    if len(documents) > MOST_RECORDS:
        raise ValueError(f"Send at most {MOST_RECORDS:,} records at once; these are {len(documents):,}.")
    return documents


def _parsed(line: bytes) -> Any:
    try:
        return parse(line)
    except NotCanonicalisable as error:
        return error


def _answer(call: Call, slugs: dict[int, str]) -> CallAnswer:
    names = (
        *("started_at", "version", "variant", "is_over", "duration_ms", "engaged", "transferred", "is_error"),
        *("evaluation", "sentiment", "ended_reason", "attribution", "is_test"),
    )
    return CallAnswer(
        id=call.sender_id,
        agent=slugs.get(call.agent_id),
        number=call.channel,
        caller=call.caller_shown,
        **{name: getattr(call, name) for name in names},
    )
