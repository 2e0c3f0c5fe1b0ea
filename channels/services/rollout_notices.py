"""Messages about a rollout's moves: a signed webhook and e-mail, sent by a worker after the move is in the database."""

from django.conf import settings

from channels.models import RolloutMove
from config.background import defer

WEBHOOK_TASK = "channels.send_rollout_webhook"
MAIL_TASK = "channels.send_rollout_mail"


def defer_notices(move: RolloutMove) -> None:
    """Let a worker tell about this move; a rollback of the transaction undoes it. Each way is its own job, so that one
    that fails is tried again alone."""
    if settings.ROLLOUT_WEBHOOK_URL:
        defer(WEBHOOK_TASK, move=move.pk)
    if settings.EMAIL_HOST:
        defer(MAIL_TASK, move=move.pk)
