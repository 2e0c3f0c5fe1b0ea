"""What the API of rollouts takes and gives."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from agentversions.api.schemas import Answer, Body, Line, Reason

from .schemas import Share

Moment = Annotated[AwareDatetime, Field(strict=False, description="ISO 8601 with its offset")]
StateName = Literal["scheduled", "running", "paused", "unhealthy", "held", "promoted", "rolled_back", "cancelled"]
MoveName = Literal["start", "advance", "pause", "resume", "hold", "promote", "roll_back", "cancel"]
Seconds = Annotated[int, Field(ge=0, le=10**9)]
Margin = Annotated[float, Field(description="how many times the error rate of the live version must be ruled out")]


class NewStep(Body):
    """A step: the share of callers, the margin, and the seconds that it lasts at least."""

    share: Share
    margin: Annotated[float, Field(strict=False)]
    soak_s: Seconds | None = None


class NewJudging(Body):
    """How it is judged; what is left out is as on the page."""

    rule: Literal["sequential", "threshold"] = "sequential"
    figures: Literal["calls", "prometheus"] = "calls"
    counts: Literal["failures", "successes"] = "failures"
    guardrails: Annotated[
        list[Literal["automation", "sentiment", "duration", "latency", "judge_score"]], Field(max_length=10)
    ] = []
    least_sample: Annotated[int, Field(ge=0, le=10**9)] | None = None


class NewRollout(Body):
    """A version of an agent; `preset`, or `steps` of one's own. `follow_live` are channels of the agent's draft or of a
    pinned version that are switched to Live first; `override_reason` passes over what the version lacks."""

    agent: Annotated[str, Field(max_length=100)]
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]
    preset: Literal["balanced", "fast", "strict"] = "balanced"
    steps: Annotated[list[NewStep], Field(max_length=50)] | None = None
    max_duration_s: Seconds | None = None
    judging: NewJudging = NewJudging()
    starts_at: Moment | None = None
    follow_live: Annotated[list[Line], Field(max_length=10_000)] = []
    reason: Reason = ""
    override_reason: Reason = ""


class NewMove(Body):
    """Why; `seen` is the `seen` of the rollout as it was read: refused when it moved since (left out: whatever was)."""

    reason: Reason = ""
    seen: Annotated[int, Field(ge=0, le=2**53)] | None = None


class StepAnswer(Answer):
    """A step with its share in per cent."""

    share: str
    margin: Margin
    soak_s: int


class MoveAnswer(Answer):
    """A move and where it led: the share of callers from then on, who did it (`person`, `judge`, `clock`) and why."""

    move: str
    state: StateName
    step: int
    share: str
    by: Literal["person", "judge", "clock"]
    actor: str | None
    reason: str
    at: datetime


class JudgingAnswer(Answer):
    """How it is judged."""

    rule: str
    figures: str
    counts: str
    guardrails: list[str]
    least_sample: int


class RolloutAnswer(Answer):
    """A rollout: `share` is the share of callers who get the version now, `step` counts from 1, `moves` are oldest
    first, `may` names the moves that are allowed now."""

    id: int
    agent: str
    version: int
    baseline: int
    state: StateName
    step: int
    share: str
    preset: Literal["balanced", "fast", "strict", "own"]
    steps: list[StepAnswer]
    max_duration_s: int
    judging: JudgingAnswer
    starts_at: datetime | None
    reason: str
    made_at: datetime
    made_by: str
    seen: int
    may: list[MoveName]
    moves: list[MoveAnswer]


class RolloutList(Answer):
    """Rollouts, the newest first; `next` is the address of the next page, null at the end."""

    items: list[RolloutAnswer]
    next: str | None
