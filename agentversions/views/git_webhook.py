"""Where a git host posts: nothing is done before its signature is known to be genuine."""

import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from agentversions.core.canonical_json import NotCanonicalisable
from agentversions.core.git.webhook import is_genuine
from agentversions.services.git.deliveries import SYNC, take_delivery

logger = logging.getLogger("agentversions.git")


@csrf_exempt
@login_not_required
@require_POST
def git_webhook(request: HttpRequest) -> JsonResponse:
    """A delivery of GitHub, Gitea or Forgejo: 202 when it led to a sync, 200 when there was nothing to do."""
    secrets = settings.GIT_SYNC_WEBHOOK_SECRETS
    if not secrets:
        return _said("Webhooks are off. Set GIT_SYNC_WEBHOOK_SECRET on the server.", 401)
    if not is_genuine(request.body, request.headers.get("X-Hub-Signature-256", ""), secrets):
        logger.warning("A git webhook with a wrong signature was refused.")
        return _said("The signature is wrong: give the host the secret of GIT_SYNC_WEBHOOK_SECRET.", 401)
    delivery, event = request.headers.get("X-GitHub-Delivery", ""), request.headers.get("X-GitHub-Event", "")
    if not delivery or len(delivery) > 100 or not delivery.isprintable() or not event:
        return _said("Send the headers X-GitHub-Delivery (100 characters at most) and X-GitHub-Event.", 400)
    try:
        outcome = take_delivery(delivery=delivery, event=event, body=request.body)
    except NotCanonicalisable as error:
        return _said(f"The body is not read: {error} Let the host send application/json.", 400)
    return _said(outcome, 202 if outcome == SYNC else 200)


git_webhook.access = {}  # type: ignore[attr-defined]  # The signature alone says who may.


def _said(words: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": words}, status=status)
