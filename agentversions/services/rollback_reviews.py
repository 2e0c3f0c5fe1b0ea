"""Rollbacks that nobody had to approve: an approver looks at each afterwards, and says so."""

from typing import Any

from django.db import transaction

from agentversions.core.roles import Permission
from agentversions.models import RollbackReview, User
from agentversions.models.database import database_now

from .audit import record
from .errors import NotAllowed, OwnWork, RequestOver


def waiting_rollbacks() -> Any:
    """Those that nobody has looked at, the oldest first."""
    found = RollbackReview.objects.filter(reviewed_at=None).order_by("deployment_id")
    return found.select_related("deployment__agent", "deployment__version", "deployment__created_by")


@transaction.atomic
def review_rollback(*, review: RollbackReview, note: str = "", actor: User) -> RollbackReview:
    """Say that it was looked at. Raises NotAllowed, OwnWork for who rolled back, RequestOver when somebody did."""
    if not actor.allows(Permission.APPROVE):
        raise NotAllowed("Only an approver reviews a rollback.")
    locked = (
        RollbackReview.objects.select_for_update(of=("self",)).select_related("deployment__agent").get(pk=review.pk)
    )
    if locked.deployment.created_by_id == actor.pk:
        raise OwnWork("You rolled back yourself. Somebody else has to look at it.")
    if locked.reviewed_at is not None:
        raise RequestOver("Somebody has looked at this rollback already.")
    locked.note, locked.reviewed_at, locked.reviewed_by = note.strip()[:2_000], database_now(), actor
    locked.save(update_fields=["note", "reviewed_at", "reviewed_by"])
    record(
        action="rollback reviewed",
        subject_kind="agent",
        subject=locked.deployment.agent.slug,
        reason=locked.note,
        after={"version": locked.deployment.version.number, "deployment": locked.deployment_id},
        actor=actor,
    )
    return locked
