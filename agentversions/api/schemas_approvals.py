"""What the API takes and gives about approvals, and about what versions need before callers hear them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from agentversions.core.release import Lack, RequestState, Verdict

from .schemas import Answer, Body, Digest, Reason

Text = Annotated[str, Field(max_length=10_000)]


class NewApproval(Body):
    """Which version needs approval; `goes_live`: it becomes live with the last approval."""

    agent: Annotated[str, Field(max_length=100)]
    version: Annotated[int, Field(ge=1)]
    reason: Text = ""
    goes_live: bool = False


class NewDecision(Body):
    """What you looked at: the version's digest beside the number that was live (0: none)."""

    digest: Digest
    live: Annotated[int, Field(ge=0)]
    note: Text = ""


class NewComment(Body):
    """On all of it, on a field by its path, or on a line (from 1) of the field's text."""

    text: Text
    path: Annotated[str, Field(max_length=500)] = ""
    line: Annotated[int, Field(ge=1)] | None = None


class NewWithdrawal(Body):
    """Why it is taken back."""

    reason: Text = ""


class NewOverride(Body):
    """Why a version goes to callers although something is missing."""

    reason: Reason


class DecisionAnswer(Answer):
    """What somebody said; `live` is what was live then."""

    verdict: Verdict
    person: str
    live: int | None
    note: str
    at: datetime


class CommentAnswer(Answer):
    """A remark; an empty path is about all of it."""

    path: str
    line: int | None
    text: str
    created_by: str
    created_at: datetime


class ApprovalAnswer(Answer):
    """A request; `needed` approvals by the rules of now, `outcome` in words what came of it."""

    id: int
    agent: str
    version: int
    digest: str
    state: RequestState
    reason: str
    goes_live: bool
    needed: int
    outcome: str
    created_by: str
    created_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    decisions: list[DecisionAnswer]
    comments: list[CommentAnswer]


class ApprovalList(Answer):
    """Requests, the newest first; `next` is the address of the next page, null at the end."""

    items: list[ApprovalAnswer]
    next: str | None


class ReleaseRulesBody(Body):
    """Approvals (0 to 2), required suites by their slugs, and by what share (0.02: two points) a score may be lower."""

    approvals: Annotated[int, Field(ge=0, le=2)] = 0
    tolerance: Annotated[float, Field(ge=0, le=1)] = 0
    suites: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []


class ReleaseRulesAnswer(Answer):
    """What the agent asks of its versions."""

    approvals: int
    tolerance: float
    suites: list[str]


class MissingAnswer(Answer):
    """One thing that is missing; `suite` is the slug of a required one."""

    kind: Lack
    suite: str | None
    detail: str


class ReadinessAnswer(Answer):
    """Whether a version may go to callers, what it lacks, and the override that lets it pass all the same."""

    is_ready: bool
    missing: list[MissingAnswer]
    approved_by: list[str]
    override: str | None


class NewReview(Body):
    """What you found when you looked at a rollback."""

    note: Annotated[str, Field(max_length=2_000)] = ""


class RollbackReviewAnswer(Answer):
    """A rollback to `version`; `reviewed_by` and `reviewed_at` are null until somebody has looked at it."""

    id: int
    agent: str
    version: int
    reason: str
    rolled_back_by: str
    rolled_back_at: datetime
    note: str
    reviewed_by: str | None
    reviewed_at: datetime | None


class RollbackReviewList(Answer):
    """Rollbacks that wait for a look, the oldest first; `next` is the address of the next page, null at the end."""

    items: list[RollbackReviewAnswer]
    next: str | None
