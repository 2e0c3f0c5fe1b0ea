"""Webhooks of voice platforms: the signature is the authentication, and every promise of `POST /calls` holds."""

import logging
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.responses import Status

from agentversions.api.problems import problem
from monitoring.core.platforms import PLATFORMS, Delivery, NotGenuine, read_fitting
from monitoring.core.records import BadRecord

from .taking import Taken, TooLarge, read_body, take

router = Router()
logger = logging.getLogger("monitoring.webhooks")


@router.post(
    "/calls/webhooks/{platform}",
    auth=None,
    response={200: Taken, 202: Taken},
    url_name="call_webhook",
    summary="Take a platform's event",
)
def take_event(request: HttpRequest, platform: str) -> Status[Taken] | HttpResponse:
    """What Vapi, Retell, ElevenLabs or Twilio posts about a call. Needs the platform's signature, and no token.

    Events that say nothing about a call as a whole are answered with 200 and no calls.
    """
    found = PLATFORMS.get(platform)
    if found is None:
        return problem("not-found", f"No such platform is known. Use one of: {', '.join(PLATFORMS)}.")
    secrets = settings.CALL_WEBHOOK_SECRETS[platform]
    if not secrets:
        return problem("not-found", f"{found.label} may not post yet. Set {found.setting} on this server first.")
    try:
        delivery = _delivery(request)
        found.verify(delivery, secrets, time.time())
        documents = found.read(delivery)
    except TooLarge as error:
        return problem("too-large", str(error))
    except NotGenuine as error:
        logger.warning("An event of %s was refused: %s", found.label, error)
        return problem("not-allowed", str(error))
    except ValueError as error:
        return problem("bad-request", str(error))
    records = []
    for document in documents:
        try:
            record, left_out = read_fitting(document)
        except BadRecord as error:
            logger.warning("A call of %s was refused: %s", found.label, error)
            return problem("invalid", str(error))
        if left_out:
            logger.warning("The call %s of %s was taken without a part of it: %s", record.id, found.label, left_out)
        records.append(record)
    return take(request, records, [], source=platform)


def _delivery(request: HttpRequest) -> Delivery:
    """Raises TooLarge. The address is ours as the platform reaches it, whatever stands between."""
    query = request.META.get("QUERY_STRING", "")
    return Delivery(
        headers={name.lower(): value for name, value in request.headers.items()},
        body=read_body(request),
        address=f"{settings.PUBLIC_URL.rstrip('/')}{request.path}" + (f"?{query}" if query else ""),
        query=request.GET.dict(),
    )
