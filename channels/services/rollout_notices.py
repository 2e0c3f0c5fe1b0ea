"""Messages about a rollout's moves: a signed webhook and e-mail, sent by a worker after the move is in the database."""

import json
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from channels.core.rollout_states import By, Move
from channels.core.rollout_words import PAST, consequence, what, who
from channels.core.shares import percent
from channels.core.webhook_signing import headers_of
from channels.models import Rollout, RolloutMove
from config.background import defer

WEBHOOK_TASK = "channels.send_rollout_webhook"
MAIL_TASK = "channels.send_rollout_mail"
TIMEOUT = 10
"""Seconds that a receiver has to answer."""


def defer_notices(move: RolloutMove) -> None:
    """Let a worker tell about this move; a rollback of the transaction undoes it. Each way is its own job, so that one
    that fails is tried again alone."""
    if settings.ROLLOUT_WEBHOOK_URL:
        defer(WEBHOOK_TASK, move=move.pk)
    if settings.EMAIL_HOST and recipients_of(move.rollout):
        defer(MAIL_TASK, move=move.pk)


def recipients_of(rollout: Rollout) -> list[str]:
    """Who started it, unless they are gone or have no address, and those of the settings; each once."""
    starter = rollout.created_by
    own = [starter.email] if starter.email and starter.is_active else []
    return list(dict.fromkeys([*own, *settings.ROLLOUT_RECIPIENTS]))


def send_webhook(move: RolloutMove) -> None:
    """Post the move, signed; the same id however often it is tried. Raises OSError unless the answer is 2xx."""
    body = json.dumps(_document(move), ensure_ascii=False).encode()
    headers = headers_of(
        f"rollout-move-{move.pk}", body, timestamp=int(time.time()), secrets=settings.ROLLOUT_WEBHOOK_SECRETS
    )
    # The settings take an address of http or https only.
    request = urllib.request.Request(  # noqa: S310
        settings.ROLLOUT_WEBHOOK_URL, body, {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"The receiver of rollouts' webhooks answered {error.code}.") from None


def send_mail(move: RolloutMove) -> None:
    """Tell the recipients by mail. Raises OSError or SMTPException when the server does not take it."""
    document = _document(move)
    data = document["data"]
    reason = [f"Reason: {data['reason']}"] if data["reason"] else []
    lines = [data["words"], f"By {data['by']}.", *reason, "", data["url"]]
    subject = f"{move.rollout.agent.name} V{data['baseline']} → V{data['version']}: {data['headline'].lower()}"
    EmailMessage(subject=" ".join(subject.split()), body="\n".join(lines), to=recipients_of(move.rollout)).send()


def find_move(key: int) -> RolloutMove:
    """A move with all that a message says about it."""
    found = RolloutMove.objects.select_related(
        "actor", "rollout__agent", "rollout__version", "rollout__baseline", "rollout__created_by"
    )
    return found.get(pk=key)


def _document(move: RolloutMove) -> dict[str, Any]:
    """What a receiver gets: the kind of event, when, and everything that is needed to act without asking back."""
    rollout, kind, by = move.rollout, Move(move.move), By(move.by)
    version, baseline = rollout.version.number, rollout.baseline.number
    address = reverse("channels:rollout_detail", args=[rollout.pk])
    return {
        "type": f"rollout.{PAST[kind].replace(' ', '_')}",
        "timestamp": move.at.isoformat(),
        "data": {
            "rollout": rollout.pk,
            "url": f"{settings.PUBLIC_URL}{address}",
            "agent": rollout.agent.slug,
            "version": version,
            "baseline": baseline,
            "move": kind.value,
            "state": move.state,
            "step": move.step + 1,
            "share": float(percent(move.share)),
            "by": who(by, str(move.actor) if move.actor else None),
            "reason": move.reason,
            "headline": what(kind, share=move.share),
            "words": consequence(kind, version=version, baseline=baseline, share=move.share),
        },
    }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed message goes to the address of the settings and nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Refused: the answer 3xx is an error, and the job is tried again."""
