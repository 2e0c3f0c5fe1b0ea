"""One call over the API: what is personal in it only with the scope `listen` and a role that allows it."""

import json
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router

from agentversions.api.authentication import READ, actor_of, token_of
from agentversions.api.schemas import Answer
from agentversions.core.roles import Permission
from monitoring.services.call_page import find_call, read_call
from monitoring.services.handling import Handling

from .calls import CallAnswer, answer

router = Router()


class Arm(Answer):
    """The rollout that split a call (its id), the arm that the call was in, the canary's share then in per cent."""

    id: int
    arm: str
    share: str
    bucket: int | None
    is_analysed: bool


class Applied(Answer):
    """A flag that changed the call's configuration."""

    key: str
    revision: int
    variant: str


class OneCall(CallAnswer):
    """A call with its configuration and analysis. Without `listen`: a masked caller, null for what else is personal.

    `digest` is the version's. Where flags changed it, `effective_digest` is that of the configuration which the call
    got, and `effective_configuration` is made again; null where that is not possible, and `why_not` says why.
    `analysis_problems`: what of the analysis is not as the configuration that handled the call asks for.
    """

    digest: str | None
    rollout: Arm | None
    flags: list[Applied]
    effective_digest: str | None
    effective_configuration: dict[str, Any] | None
    why_not: str
    direction: str
    latency_ms: float | None
    analysis: dict[str, Any] | None
    analysis_problems: list[str]
    summary: str | None
    transcript: list[dict[str, Any]] | None
    recording: str | None


@router.get("/calls/{path:call_id}", auth=READ, response=OneCall, url_name="call", summary="Read one call")
def read_one(request: HttpRequest, call_id: str) -> OneCall:
    """By the sender's id. Reading what is personal is written to the audit log."""
    call = find_call(call_id) if "\x00" not in call_id else None
    if call is None:
        raise Http404(f"There is no call “{call_id[:100]}”. GET /api/v1/calls lists them.")
    may_listen = token_of(request).allows(Permission.LISTEN)
    detail = read_call(call=call, may_listen=may_listen, actor=actor_of(request))
    slugs = {detail.agent.pk: detail.agent.slug} if detail.agent else {}
    return OneCall(
        **{**answer(call, slugs).model_dump(), "caller": detail.caller},
        digest=call.digest,
        **_handling(detail.handling),
        direction=call.direction,
        latency_ms=call.latency_ms,
        analysis=call.analysis,
        analysis_problems=detail.analysis_problems,
        summary=detail.summary or None,
        transcript=detail.turns,
        recording=detail.recording or None,
    )


def _handling(said: Handling) -> dict[str, Any]:
    rebuilt, arm = said.rebuilt, said.rollout
    return {
        "rollout": Arm(id=arm.rollout, arm=arm.arm, share=arm.share, bucket=arm.bucket, is_analysed=arm.is_analysed)
        if arm
        else None,
        "flags": [Applied(key=each.key, revision=each.revision, variant=each.variant) for each in said.flags],
        "effective_digest": said.effective or None,
        "effective_configuration": json.loads(rebuilt.body) if rebuilt and rebuilt.body is not None else None,
        "why_not": rebuilt.why if rebuilt else "",
    }
