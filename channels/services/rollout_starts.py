"""Starting planned rollouts at their moment: each once, by whichever worker comes first, for whoever planned it."""

from datetime import timedelta

from django.db import transaction

from agentversions.core.roles import Permission
from agentversions.models.database import database_now
from agentversions.services.draft_pointer import lock_agent, refuse_archived
from agentversions.services.errors import NotAllowed, Refused
from channels.core.rollout_states import By, Move, State
from channels.models import Rollout, RolloutMove

from .errors import RolloutRefused
from .rollouts import move_rollout

LATEST = timedelta(hours=1)
"""A rollout that no worker could start this long is not started any more: nobody expects it then."""


@transaction.atomic
def start_due(rollout: Rollout) -> RolloutMove | None:
    """Start a rollout whose moment has come; None when it started or ended already, or its time has not come.

    What is refused (a freeze, an archived agent, a role that was taken away, a gate that has shut, a moment long past)
    cancels it, with the words.
    """
    agent = lock_agent(rollout.agent)
    rollout.refresh_from_db(fields=["state", "step"])
    now = database_now()
    if rollout.state != State.SCHEDULED or rollout.starts_at is None or rollout.starts_at > now:
        return None
    try:
        with transaction.atomic():
            if now - rollout.starts_at > LATEST:
                words = "No worker was running at that time, and more than an hour has passed since."
                raise RolloutRefused.at("starts_at", words)
            refuse_archived(agent)
            _check_planner(rollout)
            return move_rollout(rollout=rollout, move=Move.START, by=By.CLOCK, reason=rollout.reason, actor=None)
    except Refused as refusal:
        words = f"It could not start as planned. {refusal}"
        return move_rollout(rollout=rollout, move=Move.CANCEL, by=By.CLOCK, reason=words, actor=None)


def start_all_due() -> int:
    """Start every rollout that is due: the second line behind the job of each. Gives how many moved."""
    due = Rollout.objects.filter(state=State.SCHEDULED, starts_at__lte=database_now()).order_by("starts_at", "id")
    return sum(start_due(rollout) is not None for rollout in due.select_related("agent", "created_by"))


def _check_planner(rollout: Rollout) -> None:
    if not rollout.created_by.allows(Permission.ROUTE):
        raise NotAllowed(f"{rollout.created_by} planned it and may no longer change what answers. Plan it anew.")
