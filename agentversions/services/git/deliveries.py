"""Webhook deliveries: each is noted once, and a push to the followed branch asks for a sync."""

from django.db import transaction

from agentversions.core.git.webhook import pushed_branch
from agentversions.models import GitDelivery
from agentversions.models.database import database_now

from .queue import queue_sync
from .source import find_source

SYNC, REPEATED = "sync asked for", "came before; nothing is done twice"


@transaction.atomic
def take_delivery(*, delivery: str, event: str, body: bytes) -> str:
    """Note a genuine delivery and do what it asks for; gives what became of it, in words.

    Raises NotCanonicalisable when a push event is no JSON; then nothing is noted, and the host may send it again."""
    outcome = _outcome(event, body)
    _, is_new = GitDelivery.objects.get_or_create(
        delivery=delivery, defaults={"event": event[:60], "outcome": outcome, "received_at": database_now()}
    )
    if not is_new:
        return REPEATED
    if outcome == SYNC:
        queue_sync("webhook")
    return outcome


def _outcome(event: str, body: bytes) -> str:
    source = find_source()
    if event != "push":
        return "nothing to do: only pushes are of interest"
    if source is None:
        return "nothing to do: no repository is followed yet"
    branch = pushed_branch(body)
    if branch != source.branch:
        return f"nothing to do: “{branch[:80]}” is not followed" if branch else "nothing to do: no branch was pushed"
    return "noted; the sync is suspended" if source.is_suspended else SYNC
