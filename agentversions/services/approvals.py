"""Approvals: somebody asks, others than the author decide, and what is approved may go live in the same moment."""

from django.db import transaction

from agentversions.core.release import RequestState, Verdict
from agentversions.core.roles import Permission
from agentversions.models import Agent, AgentVersion, ApprovalDecision, ApprovalRequest, ReleaseRules, User

from .approval_ending import end_request
from .approval_notices import APPROVED, CHANGES, tell_approvers, tell_asker
from .audit import record
from .deployments import make_live
from .draft_pointer import lock_agent, refuse_archived
from .errors import (
    AlreadyDecided,
    NotAllowed,
    OwnWork,
    ReasonMissing,
    Refused,
    RequestMoved,
    RequestOpen,
    RequestOver,
    RequestRefused,
)
from .freezes import in_words, open_freeze
from .live_versions import live_version
from .readiness import approvers_of
from .release_rules import rules_of

MOST_TEXT = 10_000


def may_ask(actor: User) -> bool:
    """Whether somebody may ask for approval: whoever may publish, or make live."""
    return actor.allows(Permission.EDIT) or actor.allows(Permission.ROUTE)


def may_ask_live(agent: Agent, actor: User) -> bool:
    """Whether an approval may make a version live in somebody's name: an operator's, or where the agent needs it that
    of whoever may ask."""
    return actor.allows(Permission.ROUTE) or (may_ask(actor) and bool(rules_of(agent).approvals))


def approvals_needed(request: ApprovalRequest) -> int:
    """How many people have to approve it by the rules of now; at least one, because somebody asked."""
    rules: ReleaseRules | None = getattr(request.agent, "release_rules", None)
    return max(1, rules.approvals) if rules else 1


@transaction.atomic
def ask_approval(*, version: AgentVersion, reason: str = "", goes_live: bool = False, actor: User) -> ApprovalRequest:
    """Ask that a version may go to callers; with `goes_live` it becomes live with the last approval.

    Raises NotAllowed, AgentArchived, RequestOpen, RequestRefused when it is live already.
    """
    if not may_ask(actor):
        raise NotAllowed("Only an editor or an operator asks for approval.")
    locked = lock_agent(version.agent)
    refuse_archived(locked)
    if live_version(locked) == version:
        raise RequestRefused(f"{version} is live already, so there is nothing to approve.")
    waiting = ApprovalRequest.objects.open().filter(version=version).first()
    if waiting is not None:
        raise RequestOpen(f"{waiting.created_by} asked for the approval of {version} already.", waiting.pk)
    if goes_live and not may_ask_live(locked, actor):
        words = "This agent's versions need no approval, so only an operator makes them live. Ask without it."
        raise RequestRefused(words, "goes_live")
    request = ApprovalRequest.objects.create(
        agent=locked,
        version=version,
        digest=version.configuration_id,
        reason=_text(reason, "reason"),
        goes_live=goes_live,
        created_by=actor,
    )
    _record("approval asked", request, request.reason, actor)
    tell_approvers(request)
    return request


@transaction.atomic
def decide(
    *,
    request: ApprovalRequest,
    verdict: Verdict,
    digest: str,
    seen_live: int,
    note: str = "",
    actor: User,
) -> ApprovalRequest:
    """Approve, or ask for changes, having looked at `digest` beside the live version `seen_live` (its number, 0: none).

    Raises NotAllowed, OwnWork, RequestOver, RequestMoved, AlreadyDecided, ReasonMissing where changes say nothing.
    """
    if not actor.allows(Permission.APPROVE):
        raise NotAllowed("Only an approver decides on it.")
    locked = _lock(request)
    if locked.version.created_by_id == actor.pk:
        raise OwnWork(f"You published {locked.version} yourself. Somebody else has to approve it.")
    _refuse_over(locked)
    live = live_version(locked.agent)
    if digest != locked.digest:
        raise RequestMoved("What you looked at is not what this request is for. Look at the difference again.")
    if seen_live != (live.number if live else 0):
        raise RequestMoved(f"{live or 'Another version'} became live meanwhile. Look at the difference again.")
    if locked.decisions.filter(person=actor).exists():
        raise AlreadyDecided("You decided on this request already; the others decide now.")
    note = _text(note, "note")
    if verdict == Verdict.CHANGES and not note:
        raise ReasonMissing("Say what has to change; the author reads it.")
    ApprovalDecision.objects.create(
        request=locked, verdict=verdict.value, person=actor, digest=digest, live=live, note=note
    )
    if verdict == Verdict.CHANGES:
        end_request(locked, RequestState.CHANGES, reason=note, actor=actor)
        tell_asker(locked, CHANGES, actor=actor)
    else:
        _record("version approved", locked, note, actor)
        if len(approvers_of(locked.version)) >= approvals_needed(locked):
            _approved(locked, actor)
    return locked


@transaction.atomic
def withdraw_request(*, request: ApprovalRequest, reason: str = "", actor: User) -> ApprovalRequest:
    """Take a request back: who asked, the author, or an admin. What was approved on it does not count any more.

    Raises NotAllowed, RequestOver.
    """
    locked = _lock(request)
    own = {locked.created_by_id, locked.version.created_by_id}
    if actor.pk not in own and not actor.allows(Permission.ADMINISTER):
        raise NotAllowed("Only who asked, who published the version, or an admin takes a request back.")
    _refuse_over(locked)
    reason = _text(reason, "reason")
    end_request(locked, RequestState.WITHDRAWN, reason=reason, outcome=reason, actor=actor)
    return locked


def _approved(request: ApprovalRequest, actor: User) -> None:
    """End it; then, if it was asked so, make the version live for whoever asked. What stands in the way is kept in
    words: the approval counts all the same."""
    end_request(request, RequestState.APPROVED, actor=actor)
    if request.goes_live:
        _go_live(request)
    tell_asker(request, APPROVED, actor=actor)


def _go_live(request: ApprovalRequest) -> None:
    freeze, asker = open_freeze(), request.created_by
    words = f"Not live yet. {in_words(freeze)} Make it live when the freeze is over." if freeze else ""
    if not words and not may_ask_live(request.agent, asker):
        words = f"Not live yet. {asker} asked for it and may no longer make it live. An operator does that."
    if not words:
        people = " and ".join(str(person) for person in approvers_of(request.version))
        reason = f"Approved by {people}. {request.reason}".strip()
        try:
            with transaction.atomic():
                request.deployment = make_live(version=request.version, reason=reason, actor=asker)
        except Refused as refusal:
            words = f"Not live yet. {refusal}"
    request.outcome = words or f"{request.version} went live."
    request.save(update_fields=["outcome", "deployment"])


def _lock(request: ApprovalRequest) -> ApprovalRequest:
    # The agent first, as every new deployment does, so that two never wait for each other.
    agent = lock_agent(request.agent)
    locked: ApprovalRequest = ApprovalRequest.objects.with_names().select_for_update(of=("self",)).get(pk=request.pk)
    locked.agent = locked.version.agent = agent
    return locked


def _refuse_over(request: ApprovalRequest) -> None:
    if not request.is_open:
        raise RequestOver(f"This request has ended: {RequestState(request.state).label.lower()}. Ask anew if need be.")


def _text(text: str, field: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > MOST_TEXT or "\x00" in text:
        raise RequestRefused(f"At most {MOST_TEXT:,} characters, all of them readable.", field)
    return text


def _record(action: str, request: ApprovalRequest, reason: str, actor: User) -> None:
    record(
        action=action,
        subject_kind="agent",
        subject=request.agent.slug,
        reason=reason,
        after={"request": request.pk, "version": request.version.number, "digest": request.digest},
        actor=actor,
    )
