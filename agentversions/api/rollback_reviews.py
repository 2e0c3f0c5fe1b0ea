"""Rollbacks that nobody had to approve, over the API: what waits for an approver's look, and saying that one looked."""

from typing import Annotated

from django.http import Http404, HttpRequest
from ninja import Router
from pydantic import Field

from agentversions.models import RollbackReview
from agentversions.services.rollback_reviews import review_rollback, waiting_rollbacks

from .addresses import next_page
from .agents import Size
from .authentication import APPROVE, READ, actor_of
from .schemas_approvals import NewReview, RollbackReviewAnswer, RollbackReviewList

router = Router()
Place = Annotated[int, Field(ge=0, le=2**53)]


@router.get(
    "/rollback-reviews",
    auth=READ,
    response=RollbackReviewList,
    url_name="rollback_reviews",
    summary="List rollbacks that nobody has looked at",
)
def list_waiting(request: HttpRequest, above: Place = 0, limit: Size = 50) -> RollbackReviewList:
    """The oldest first."""
    rows = list(waiting_rollbacks().filter(pk__gt=above)[: limit + 1])
    following = next_page(request, above=rows[limit - 1].pk) if len(rows) > limit else None
    return RollbackReviewList(items=[_answer(row) for row in rows[:limit]], next=following)


@router.post(
    "/rollback-reviews/{int:number}/review",
    auth=APPROVE,
    response=RollbackReviewAnswer,
    url_name="rollback_review",
    summary="Say that you looked at a rollback",
)
def review(request: HttpRequest, number: int, body: NewReview) -> RollbackReviewAnswer:
    """Once, and never by who rolled back."""
    row = RollbackReview.objects.filter(pk=number).first()
    if row is None:
        raise Http404("There is no such rollback.")
    return _answer(review_rollback(review=row, note=body.note, actor=actor_of(request)))


def _answer(row: RollbackReview) -> RollbackReviewAnswer:
    deployment = row.deployment
    return RollbackReviewAnswer(
        id=row.pk,
        agent=deployment.agent.slug,
        version=deployment.version.number,
        reason=deployment.reason,
        rolled_back_by=str(deployment.created_by),
        rolled_back_at=deployment.created_at,
        note=row.note,
        reviewed_by=str(row.reviewed_by) if row.reviewed_by else None,
        reviewed_at=row.reviewed_at,
    )
