"""What the API of Deploy takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from agentversions.api.schemas import Answer, Body, Line, Reason

Answers = Annotated[
    str, Field(pattern=r"^(draft|live|V[0-9]{1,9})$", description="draft, live, or a version such as V3")
]
Share = Annotated[str, Field(max_length=12, description="per cent with at most three decimals, such as 33.333")]


class NewChannel(Body):
    """A phone number (in any form, with `region` for a national one) or a chat channel, and what answers it."""

    kind: Literal["phone", "chat"] = "phone"
    address: Annotated[str, Field(max_length=64)]
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    label: Line = ""
    time_zone: Annotated[str, Field(max_length=64)] = "UTC"
    agent: Annotated[str, Field(max_length=100)]
    answers: Answers = "draft"
    reason: Reason = ""


class ChannelPatch(Body):
    """What changes of a channel itself."""

    label: Line | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    is_enabled: bool | None = None
    reason: Reason = ""


class NewVariant(Body):
    """One variant of an A/B test."""

    name: Annotated[str, Field(max_length=60)]
    agent: Annotated[str, Field(max_length=100)]
    answers: Answers
    share: Share


class NewRoute(Body):
    """Either `agent` with `answers`, or the `variants` of an A/B test whose shares add up to 100 %."""

    agent: Annotated[str, Field(max_length=100)] | None = None
    answers: Answers = "draft"
    variants: Annotated[list[NewVariant], Field(max_length=20)] | None = None
    reason: Reason = ""


class VariantAnswer(Answer):
    """One variant with its share in per cent."""

    name: str
    agent: str
    answers: str
    share: str


class RouteAnswer(Answer):
    """What answers: an agent, or the variants of a test. `digest` names the route for If-Match."""

    digest: str
    agent: str | None
    answers: str | None
    variants: list[VariantAnswer]


class ChannelAnswer(Answer):
    """A channel with what answers it."""

    address: str
    kind: str
    label: str
    time_zone: str
    is_enabled: bool
    route: RouteAnswer
    route_changed_at: datetime
    route_changed_by: str


class ChannelList(Answer):
    """Channels by address; `next` is the address of the next page, null at the end."""

    items: list[ChannelAnswer]
    next: str | None


class RolloutThen(Answer):
    """The rollout of the agent that answered, where the route follows Live. `arm` and `bucket` are those of the caller,
    null where no caller is named, and while it gives its version to nobody."""

    id: int
    version: int
    state: str
    step: int
    share: str
    salt: str
    since: datetime
    arm: Literal["canary", "stable"] | None
    bucket: int | None


class FlagThen(Answer):
    """A flag in force and what it gave the call. `value` is null where the version stays as it is; `changed`: it made
    another configuration of the version."""

    key: str
    revision: int
    variant: str
    value: Any
    reason: str
    changed: bool
    words: str


class AnsweredAnswer(Answer):
    """What answered at a moment. Without `digest` nothing did, and `why` says so.

    `digest` is the version's; `effective_digest` that of the configuration which flags made of it for this call.

    `set_at`, `set_by` and `reason` are of the route; `moved_…` are of the draft or the live version that it follows.
    """

    at: datetime
    route: RouteAnswer | None
    set_at: datetime | None
    set_by: str | None
    reason: str
    is_enabled: bool
    agent: str | None
    version: int | None
    digest: str | None
    configuration: str | None
    variant: str | None
    share: str | None
    bucket: int | None
    unit: str | None
    moved_at: datetime | None
    moved_by: str | None
    move_reason: str
    why: str
    rollout: RolloutThen | None
    flags: list[FlagThen]
    effective_digest: str | None


class ExplainedAnswer(Answer):
    """The steps in words, and what they end in."""

    steps: list[str]
    agent: str | None
    version: int | None
    digest: str | None
    variant: str | None
    bucket: int | None
    rollout: RolloutThen | None
    flags: list[FlagThen]
    effective_digest: str | None


class PlanRollout(Answer):
    """The rollout that splits an answer once more: units whose bucket under its salt is below `share` (of 100,000) get
    this version instead. `resolution` is the canary's."""

    id: int
    salt: str
    share: int
    version: int
    version_name: str
    digest: str
    resolution: str | None


class PlanVariant(Answer):
    """One answer of a plan with its buckets; `resolution` goes back with the call's record. `flags` are plain values
    that every call gets; `asks_server` says that flags look at the call or change the configuration: ask /resolve."""

    name: str | None
    ranges: list[tuple[int, int]]
    agent: str
    version: int | None
    version_name: str | None
    digest: str | None
    resolution: str | None
    rollout: PlanRollout | None
    flags: dict[str, Any]
    asks_server: bool


class PlanAnswer(Answer):
    """A route followed to its configurations, for evaluation in the platform's own process (docs/api.md, Buckets)."""

    address: str
    is_enabled: bool
    route: str
    salt: str
    variants: list[PlanVariant]


class Question(Body):
    """One call. `have` names the configurations that you hold; without `call_id` it is a preview."""

    number: Line
    caller: Annotated[str, Field(max_length=1024)] | None = None
    call_id: Annotated[str, Field(max_length=256)] | None = None
    context: dict[str, Any] = {}
    have: list[str] = []


class ResolvedRollout(Answer):
    """The arm of a rollout that the caller is in, and the share of callers (in percent) that get its version."""

    arm: Literal["canary", "stable"]
    share: float


class Resolved(Answer):
    """Which configuration to run for this call, and why. `digest` is the version's, `effective_digest` that of the
    configuration that is sent: another one where flags changed it (`overlay`: their variants by key)."""

    number: str
    agent: str
    version: int | None
    version_name: str | None
    digest: str
    variant: str | None
    reason: Literal["STATIC", "SPLIT"]
    share: float
    rollout: ResolvedRollout | None
    effective_digest: str
    flags: dict[str, Any]
    overlay: dict[str, str]
    unit: Literal["caller", "call_id", "chance"]
    sticky: bool
    resolution: str | None
    generation: int
    stale: bool
    configuration: dict[str, Any] | None = None
