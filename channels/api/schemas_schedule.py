"""What the API of planned changes and freeze windows takes and gives."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from agentversions.api.schemas import Answer, Body, Line, Reason

from .schemas import NewRoute, RouteAnswer

Moment = Annotated[AwareDatetime, Field(strict=False, description="ISO 8601 with its offset")]
Zone = Annotated[str, Field(max_length=64, description="in which pages show the moments")]


class LiveTarget(Body):
    """A version that becomes live."""

    agent: Annotated[str, Field(max_length=100)]
    version: Annotated[int, Field(ge=1)]


class NewScheduledChange(Body):
    """Either `live`, or `channels` with `route`; at `back_at` it is taken back."""

    live: LiveTarget | None = None
    channels: Annotated[list[Line], Field(max_length=10_000)] = []
    route: NewRoute | None = None
    at: Moment
    back_at: Moment | None = None
    time_zone: Zone = "UTC"
    reason: Reason = ""


class StepAnswer(Answer):
    """What became of the change (`go`) or of its return (`back`)."""

    step: Literal["go", "back"]
    outcome: Literal["done", "refused", "cancelled"]
    words: str
    at: datetime
    by: str | None


class ScheduledAnswer(Answer):
    """A planned change. `state`: planned, until (made, returns later), done, refused, cancelled."""

    id: int
    summary: str
    state: Literal["planned", "until", "done", "refused", "cancelled"]
    agent: str | None
    version: int | None
    channels: list[str]
    route: RouteAnswer | None
    at: datetime
    back_at: datetime | None
    time_zone: str
    reason: str
    planned_at: datetime
    planned_by: str
    steps: list[StepAnswer]


class ScheduledList(Answer):
    """Planned changes, the newest plan first; `next` is the address of the next page, null at the end."""

    items: list[ScheduledAnswer]
    next: str | None


class NewFreeze(Body):
    """What the freeze is for, from when to when."""

    occasion: Line
    starts_at: Moment
    ends_at: Moment
    time_zone: Zone = "UTC"


class FreezeAnswer(Answer):
    """A freeze window; `lifted_at` is null unless somebody ended it early."""

    id: int
    occasion: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    made_by: str
    lifted_at: datetime | None


class FreezeList(Answer):
    """Freeze windows, the latest first."""

    items: list[FreezeAnswer]
