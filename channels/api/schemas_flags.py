"""What the API of flags takes and gives."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from agentversions.api.schemas import Answer, Body, Reason

from .schemas import Share

Kind = Literal["tool", "path", "boolean", "string", "integer", "number", "json"]
Name = Annotated[str, Field(max_length=200)]
Description = Annotated[str, Field(max_length=500)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", description="such as 18:00")]
Day = Annotated[date, Field(strict=False)]
Callers = Annotated[list[Annotated[str, Field(max_length=1_024)]], Field(max_length=50_000)]


class FlagVariantBody(Body):
    """A value with a name."""

    name: Name
    value: Any


class FlagScheduleBody(Body):
    """When a rule applies, in the time zone of the number: days 1 (Monday) to 7, none for every day."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)] = []
    start: Clock = "00:00"
    stop: Clock = "24:00"
    first: Day | None = None
    last: Day | None = None


class FlagRuleBody(Body):
    """Gives a variant to whoever meets all conditions; an empty one is met by everybody.

    `place` is the rule (from 0) of the revision in If-Match that this one goes on from: it keeps its salt, and its
    callers unless `callers` replaces them, which needs a token that may see them. `add_callers` come on top.
    """

    name: Name = ""
    gives: Name
    place: Annotated[int, Field(ge=0, le=100)] | None = None
    callers: Callers | None = None
    add_callers: Callers = []
    callers_are_ids: bool = False
    channels: Annotated[list[Name], Field(max_length=1_000)] = []
    variants: Annotated[list[Name], Field(max_length=100)] = []
    schedule: FlagScheduleBody | None = None
    share: Share = "100"


class FlagBody(Body):
    """What a flag does. `subject` is the tool or the path that it acts on."""

    subject: Annotated[str, Field(max_length=2_000)] = ""
    description: Description | None = None
    variants: Annotated[list[FlagVariantBody], Field(max_length=100)] = []
    default: Name
    when_disabled: Name
    rules: Annotated[list[FlagRuleBody], Field(max_length=100)] = []
    reason: Reason = ""


class NewFlag(FlagBody):
    """A new flag, of an agent or (without one) of all agents; its key, type and agent never change."""

    key: Name
    type: Kind
    agent: Annotated[str, Field(max_length=100)] = ""


class FlagSwitch(Body):
    """Whether the flag acts, and why."""

    is_enabled: bool
    reason: Reason


class FlagRuleAnswer(Answer):
    """A rule. `callers` are in clear for tokens that may see them, else null; `callers_shown` are ends of some."""

    place: int
    name: str
    gives: str
    callers: list[str] | None
    caller_count: int
    callers_shown: list[str]
    channels: list[str]
    variants: list[str]
    schedule: FlagScheduleBody | None
    share: str
    words: str


class FlagAnswer(Answer):
    """A flag as it stands now. `stale` says in words why it could go; `warnings` what may not be meant."""

    key: str
    type: Kind
    agent: str
    subject: str
    description: str
    is_enabled: bool
    is_archived: bool
    variants: list[FlagVariantBody]
    default: str
    when_disabled: str
    rules: list[FlagRuleAnswer]
    revision: int
    saved_at: datetime
    saved_by: str
    reason: str
    stale: list[str]
    warnings: list[str]


class FlagList(Answer):
    """Flags by key; `next` is the address of the next page, null at the end."""

    items: list[FlagAnswer]
    next: str | None


class FlagRevisionAnswer(Answer):
    """One revision with what it changed, in words."""

    revision: int
    changes: list[str]
    is_archived: bool
    saved_at: datetime
    saved_by: str
    reason: str


class FlagHistoryAnswer(Answer):
    """Revisions, the newest first."""

    items: list[FlagRevisionAnswer]
    next: str | None


class FlagRuleSaid(Answer):
    """What one rule said of the call: decided, passed over, not reached."""

    rule: int
    outcome: Literal["decided", "passed over", "not reached"]
    words: str


class FlagExplained(Answer):
    """What a flag gives a call, in OpenFeature's words, and what that changes. `value` is null where the version's own
    holds."""

    facts: list[str]
    rules: list[FlagRuleSaid]
    variant: str
    value: Any
    reason: str
    rule: int | None
    bucket: int | None
    error: str | None
    effect: str
    effective_digest: str | None
