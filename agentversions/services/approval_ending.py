"""Ending a request for approval: the one place where its state moves, with its audit entry."""

from agentversions.core.release import RequestState
from agentversions.models import ApprovalRequest, Deployment, User
from agentversions.models.database import database_now

from .audit import record

ACTIONS = {
    RequestState.APPROVED: "approval given",
    RequestState.CHANGES: "approval refused",
    RequestState.WITHDRAWN: "approval withdrawn",
    RequestState.OVERTAKEN: "approval overtaken",
}


def end_request(
    request: ApprovalRequest, state: RequestState, *, reason: str = "", outcome: str = "", actor: User
) -> None:
    """End a locked, open request."""
    request.state, request.outcome = state.value, outcome
    request.ended_at, request.ended_by = database_now(), actor
    request.save(update_fields=["state", "outcome", "ended_at", "ended_by"])
    record(
        action=ACTIONS[state],
        subject_kind="agent",
        subject=request.agent.slug,
        reason=reason,
        after={"request": request.pk, "version": request.version.number, "digest": request.digest},
        actor=actor,
    )


def end_overtaken(deployment: Deployment) -> None:
    """A version that is live needs nobody's approval any more: end the request that still waits for it."""
    waiting = ApprovalRequest.objects.with_names().select_for_update(of=("self",))
    for request in waiting.filter(version=deployment.version, state=RequestState.OPEN.value):
        words = f"{deployment.version} became live without it."
        end_request(request, RequestState.OVERTAKEN, outcome=words, actor=deployment.created_by)
        request.deployment = deployment
        request.save(update_fields=["deployment"])
