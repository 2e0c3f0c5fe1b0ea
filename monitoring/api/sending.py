"""Call records over the API: taken one at a time, as a list, or as lines."""

import gzip
import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.responses import Status

from agentversions.api.problems import problem
from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.roles import Permission
from monitoring.core.records import BadRecord, CallRecord, read_record

from .taking import MOST_BYTES, RefusedRecord, Sender, Taken, TooLarge, read_body, take

router = Router()
MOST_RECORDS = 1_000


@router.post(
    "/calls",
    auth=Sender(Permission.READ),
    response={200: Taken, 202: Taken},
    url_name="calls",
    summary="Send call records",
)
def send(request: HttpRequest) -> Status[Taken] | HttpResponse:
    """One record, a list of up to 1,000, or one per line (application/x-ndjson); gzip is read.

    Repeating a record changes nothing; records of one call may come in any order. 200 means that what was taken is
    stored, 202 that it is kept on disk until the database is back. A record that is wrong is refused with its index,
    and the rest is kept.
    """
    try:
        documents = _documents(request)
    except NotCanonicalisable as error:
        return problem("bad-request", str(error))
    except TooLarge as error:
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
    return take(request, records, refused, source="api")


def _documents(request: HttpRequest) -> list[Any]:
    """The records as JSON values; a line that is none stands as its error. Raises TooLarge and NotCanonicalisable."""
    body = read_body(request)
    if request.headers.get("Content-Encoding", "").lower() == "gzip":
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            try:
                body = packed.read(MOST_BYTES + 1)
            except (OSError, EOFError) as error:
                raise NotCanonicalisable(f"The body is no gzip ({error}).") from error
    if len(body) > MOST_BYTES:
        raise TooLarge("Send at most 12 MB at once, unpacked. Send the rest in another request.")
    if "ndjson" in request.headers.get("Content-Type", ""):
        documents = [_parsed(line) for line in body.splitlines() if line.strip()]
    else:
        found = parse(body, max_bytes=MOST_BYTES)
        documents = found if isinstance(found, list) else [found]
    if len(documents) > MOST_RECORDS:
        raise TooLarge(f"Send at most {MOST_RECORDS:,} records at once; these are {len(documents):,}.")
    return documents


def _parsed(line: bytes) -> Any:
    try:
        return parse(line, max_bytes=MOST_BYTES)
    except NotCanonicalisable as error:
        return error
