"""Approvals and release rules over the API: the same services as the pages."""

from typing import Annotated

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router
from pydantic import Field

from agentversions.core.release import RequestState, Verdict
from agentversions.models import AgentVersion, ApprovalComment, ApprovalRequest
from agentversions.services.approval_comments import comment
from agentversions.services.approval_list import find_request, find_requests
from agentversions.services.approvals import approvals_needed, ask_approval, decide, withdraw_request
from agentversions.services.readiness import override_readiness, readiness_of
from agentversions.services.release_rules import Rules, rules_of, set_rules

from .addresses import next_page
from .agents import Size, Words
from .authentication import ADMINISTER, APPROVE, ASK, COMMENT, READ, actor_of
from .finding import find_agent, find_version
from .schemas_approvals import (
    ApprovalAnswer,
    ApprovalList,
    CommentAnswer,
    DecisionAnswer,
    MissingAnswer,
    NewApproval,
    NewComment,
    NewDecision,
    NewOverride,
    NewWithdrawal,
    ReadinessAnswer,
    ReleaseRulesAnswer,
    ReleaseRulesBody,
)

router = Router()
Place = Annotated[int, Field(ge=1, le=2**53)]
ONE = "/approvals/{int:number}"
VERSION = "/agents/{slug:slug}/versions/{int:number}"


@router.get("/approvals", auth=READ, response=ApprovalList, url_name="approvals", summary="List approval requests")
def list_all(
    request: HttpRequest,
    agent: Words = "",
    state: RequestState | None = None,
    below: Place | None = None,
    limit: Size = 50,
) -> ApprovalList:
    """The newest first, of one agent or in one state where they are named."""
    found = find_requests(agent=agent.replace("\x00", ""), state=state or "")
    if below is not None:
        found = found.filter(pk__lt=below)
    rows = list(found.prefetch_related("decisions__person", "decisions__live", "comments__created_by")[: limit + 1])
    following = next_page(request, below=rows[limit - 1].pk) if len(rows) > limit else None
    return ApprovalList(items=[_answer(row) for row in rows[:limit]], next=following)


@router.post("/approvals", auth=ASK, response={201: ApprovalAnswer}, url_name="approvals", summary="Ask for approval")
def ask(request: HttpRequest, response: HttpResponse, body: NewApproval) -> ApprovalAnswer:
    """Of a version, for exactly its digest. A version has one open request (409 `request-open` names it)."""
    made = ask_approval(
        version=find_version(body.agent, body.version),
        reason=body.reason,
        goes_live=body.goes_live,
        actor=actor_of(request),
    )
    response["Location"] = reverse("api:approval", args=[made.pk])
    return _answer(_find(made.pk))


@router.get(ONE, auth=READ, response=ApprovalAnswer, url_name="approval", summary="Read an approval request")
def read(request: HttpRequest, number: int) -> ApprovalAnswer:
    """Where it stands, who decided, what was said."""
    return _answer(_find(number))


@router.post(f"{ONE}/approve", auth=APPROVE, response=ApprovalAnswer, url_name="approval_approve", summary="Approve")
def approve(request: HttpRequest, number: int, body: NewDecision) -> ApprovalAnswer:
    """Never by the version's author. With the last approval it goes live, if it was asked so; `outcome` says."""
    return _decide(request, number, Verdict.APPROVE, body)


@router.post(
    f"{ONE}/changes", auth=APPROVE, response=ApprovalAnswer, url_name="approval_changes", summary="Ask for changes"
)
def changes(request: HttpRequest, number: int, body: NewDecision) -> ApprovalAnswer:
    """Ends the request; the `note` says what has to change."""
    return _decide(request, number, Verdict.CHANGES, body)


@router.post(
    f"{ONE}/withdraw",
    auth=ASK,
    response=ApprovalAnswer,
    url_name="approval_withdraw",
    summary="Take an approval request back",
)
def withdraw(request: HttpRequest, number: int, body: NewWithdrawal) -> ApprovalAnswer:
    """By who asked, who published the version, or an admin."""
    withdraw_request(request=_find(number), reason=body.reason, actor=actor_of(request))
    return _answer(_find(number))


@router.post(
    f"{ONE}/comment",
    auth=COMMENT,
    response={201: CommentAnswer},
    url_name="approval_comment",
    summary="Comment on an approval request",
)
def remark(request: HttpRequest, number: int, body: NewComment) -> CommentAnswer:
    """On all of it, a field, or a line; also after it has ended."""
    row = comment(request=_find(number), text=body.text, path=body.path, line=body.line, actor=actor_of(request))
    row.refresh_from_db()
    return _comment(row)


@router.get(
    "/agents/{slug:slug}/release-rules",
    auth=READ,
    response=ReleaseRulesAnswer,
    url_name="release_rules",
    summary="Read release rules",
)
def read_rules(request: HttpRequest, slug: str) -> ReleaseRulesAnswer:
    """What the agent asks of a version before callers hear it."""
    return _rules(rules_of(find_agent(slug)))


@router.put(
    "/agents/{slug:slug}/release-rules",
    auth=ADMINISTER,
    response=ReleaseRulesAnswer,
    url_name="release_rules",
    summary="Set release rules",
)
def write_rules(request: HttpRequest, slug: str, body: ReleaseRulesBody) -> ReleaseRulesAnswer:
    """All of them at once."""
    rules = set_rules(
        agent=find_agent(slug),
        approvals=body.approvals,
        tolerance=body.tolerance,
        suites=body.suites,
        actor=actor_of(request),
    )
    return _rules(rules)


@router.get(
    f"{VERSION}/readiness",
    auth=READ,
    response=ReadinessAnswer,
    url_name="readiness",
    summary="Read what a version lacks",
)
def read_readiness(request: HttpRequest, slug: str, number: int) -> ReadinessAnswer:
    """Whether it may go to callers, beside what is live now."""
    return _readiness(find_version(slug, number))


@router.post(
    f"{VERSION}/override",
    auth=APPROVE,
    response={201: ReadinessAnswer},
    url_name="override",
    summary="Override what a version lacks",
)
def override(request: HttpRequest, slug: str, number: int, body: NewOverride) -> ReadinessAnswer:
    """Never by the version's author. Stands while the same version stays live; making it live is another act."""
    version = find_version(slug, number)
    override_readiness(version=version, reason=body.reason, actor=actor_of(request))
    return _readiness(version)


def _find(number: int) -> ApprovalRequest:
    found = find_request(number)
    if found is None:
        raise Http404(f"There is no request for approval {number}. GET /api/v1/approvals lists them.")
    return found


def _decide(request: HttpRequest, number: int, verdict: Verdict, body: NewDecision) -> ApprovalAnswer:
    decide(
        request=_find(number),
        verdict=verdict,
        digest=body.digest,
        seen_live=body.live,
        note=body.note,
        actor=actor_of(request),
    )
    return _answer(_find(number))


def _answer(row: ApprovalRequest) -> ApprovalAnswer:
    return ApprovalAnswer(
        id=row.pk,
        agent=row.agent.slug,
        version=row.version.number,
        digest=row.digest,
        state=RequestState(row.state),
        reason=row.reason,
        goes_live=row.goes_live,
        needed=approvals_needed(row),
        outcome=row.outcome,
        created_by=row.created_by.username,
        created_at=row.created_at,
        ended_by=row.ended_by.username if row.ended_by else None,
        ended_at=row.ended_at,
        decisions=[
            DecisionAnswer(
                verdict=Verdict(each.verdict),
                person=each.person.username,
                live=each.live.number if each.live else None,
                note=each.note,
                at=each.at,
            )
            for each in row.decisions.all()
        ],
        comments=[_comment(each) for each in row.comments.all()],
    )


def _comment(row: ApprovalComment) -> CommentAnswer:
    return CommentAnswer(
        path=row.path, line=row.line, text=row.text, created_by=row.created_by.username, created_at=row.created_at
    )


def _rules(rules: Rules) -> ReleaseRulesAnswer:
    return ReleaseRulesAnswer(
        approvals=rules.approvals, tolerance=rules.tolerance, suites=[suite.slug for suite in rules.suites]
    )


def _readiness(version: AgentVersion) -> ReadinessAnswer:
    found = readiness_of(version)
    return ReadinessAnswer(
        is_ready=found.is_ready,
        missing=[MissingAnswer(kind=one.kind, suite=one.suite or None, detail=one.words) for one in found.missing],
        approved_by=[person.username for person in found.approved_by],
        override=found.override.reason if found.override else None,
    )
