"""What the judge said of a rollout, over the API."""

import json
from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Router
from pydantic import Field

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ
from agentversions.api.schemas import Answer
from channels.services.rollout_list import find_rollout
from monitoring.models import CanaryEvaluation

router = Router()
Size = Annotated[int, Field(ge=1, le=200)]
Place = Annotated[int, Field(ge=1, le=2**53)]


class EvaluationAnswer(Answer):
    """One evaluation. `action` is `continue`, `advance`, `promote`, `roll back`, `hold`, `unhealthy`, or `undecided`
    where no figures could be read: then statistics, seen and policy are null. `refusal` says why it was not done."""

    id: int
    at: datetime
    step: int
    action: str
    words: str
    refusal: str
    statistics: dict[str, Any] | None
    seen: dict[str, Any] | None
    policy: dict[str, Any] | None


class EvaluationList(Answer):
    """Evaluations, newest first; `next` is the address of the older ones, null at the end."""

    items: list[EvaluationAnswer]
    next: str | None


@router.get(
    "/rollouts/{number}/evaluations",
    auth=READ,
    response=EvaluationList,
    url_name="rollout_evaluations",
    summary="List a rollout's evaluations",
)
def list_all(request: HttpRequest, number: Place, below: Place | None = None, limit: Size = 50) -> EvaluationList:
    """What the judge said, with its statistics, what it had seen and how it was to judge.

    `statistics.harm` is the evidence of harm, an e-value against `harm_bar`; `ratio` says how many times as often the
    canary fails, with a 95 % interval that holds however often it is read (a null end is open).
    """
    rollout = find_rollout(number)
    if rollout is None:
        raise Http404("There is no such rollout.")
    found = CanaryEvaluation.objects.filter(rollout=rollout).order_by("-id")
    rows = list((found.filter(pk__lt=below) if below else found)[: limit + 1])
    items = [_answer(row) for row in rows[:limit]]
    following = next_page(request, below=str(items[-1].id)) if len(rows) > limit else None
    return EvaluationList(items=items, next=following)


def _answer(row: CanaryEvaluation) -> EvaluationAnswer:
    body = json.loads(row.body) if row.body else {}
    return EvaluationAnswer(
        id=row.pk,
        at=row.at,
        step=row.step + 1,
        action=row.action,
        words=row.words,
        refusal=row.refusal,
        statistics=body.get("statistics"),
        seen=body.get("seen"),
        policy=body.get("policy"),
    )
