"""What a voice platform may say about a call: one record, checked field by field, any part of it at any time."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

LONGEST_CALL = timedelta(days=2)
"""A call that is said to last longer is a mistake of clocks."""
MOST_TRANSCRIPT = 10 * 1024 * 1024
"""Characters of all turns together."""
LONGEST_RESOLUTION = 20_000
"""Characters: one that names fifty flags has about 9,000."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
EARLIEST = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
LATEST = datetime.fromisoformat("2200-01-01T00:00:00+00:00")


class Sentiment(StrEnum):
    """How the caller felt."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Event(StrEnum):
    """When a record was made; of two records without a sequence the later kind wins."""

    START = "start"
    UPDATE = "update"
    END = "end"
    ANALYSIS = "analysis"


def _without_nul(text: str) -> str:
    if UNSTORABLE.search(text):
        raise ValueError("has a character that cannot be stored (NUL or half of one)")
    return text


def _of_our_time(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("is not between the years 2000 and 2200")
    return moment


Text = Annotated[str, AfterValidator(_without_nul)]
Line = Annotated[Text, Field(max_length=200)]
Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class Turn(BaseModel):
    """One turn of a conversation; a tool call names its tool and carries its arguments or its answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Line
    text: Text = ""
    at_s: Annotated[float, Field(ge=0, le=LONGEST_CALL.total_seconds())] | None = None
    tool: Line | None = None
    data: Any = None


def _turns(turns: list[Turn]) -> list[Turn]:
    if sum(len(turn.text) + len(str(turn.data or "")) for turn in turns) > MOST_TRANSCRIPT:
        raise ValueError("is longer than 10 MB")
    return turns


def _sentiment(value: Any) -> Any:
    """A word in any case, or a score from -1 to 1 whose third decides the word."""
    return value.strip().lower() if isinstance(value, str) else value


class CallRecord(BaseModel):
    """Everything that can be said about a call; only its id, by the sender's own name, must be there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[Text, Field(min_length=1, max_length=200)]
    sequence: Annotated[int, Field(ge=0, le=2**53)] | None = None
    event: Event | None = None
    status: Literal["in_progress", "ended"] | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    duration_s: Annotated[float, Field(ge=0, le=LONGEST_CALL.total_seconds())] | None = None
    caller: Annotated[Text, Field(max_length=1024)] | None = None
    called: Line | None = None
    direction: Literal["inbound", "outbound"] | None = None
    ended_reason: Line | None = None
    evaluation: Literal["success", "fail"] | None = None
    engaged: bool | None = None
    transferred: bool | None = None
    error: bool | Line | None = None
    sentiment: Annotated[Sentiment | Annotated[float, Field(ge=-1, le=1)] | None, BeforeValidator(_sentiment)] = None
    analysis: dict[str, Any] | None = None
    summary: Annotated[Text, Field(max_length=20_000)] | None = None
    transcript: Annotated[list[Turn], Field(max_length=20_000), AfterValidator(_turns)] | None = None
    recording: Annotated[Text, Field(max_length=2_000, pattern=r"^https?://")] | None = None
    latency_ms: Annotated[float, Field(ge=0, le=3_600_000)] | None = None
    cost: Annotated[Decimal, Field(ge=0, le=1_000_000)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    resolution: Annotated[Text, Field(max_length=LONGEST_RESOLUTION)] | None = None
    agent: Line | None = None
    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    is_test: bool | None = None

    @property
    def kind(self) -> Event:
        """When this record was made, as it says or as its fields tell."""
        if self.event is not None:
            return self.event
        if self.ended_at is not None or self.status == "ended" or self.duration_s is not None:
            return Event.END
        if self.evaluation is not None or self.analysis is not None or self.summary is not None:
            return Event.ANALYSIS
        return Event.START if self.started_at is not None else Event.UPDATE


class BadRecord(ValueError):
    """A record that cannot be taken; the message is a sentence that names the field."""


def read_record(document: Any) -> CallRecord:
    """One record from JSON. Raises BadRecord."""
    if not isinstance(document, dict):
        raise BadRecord("A call record is a JSON object.")
    try:
        record = CallRecord.model_validate(document)
    except ValidationError as error:
        raise BadRecord(_in_words(error)) from None
    if record.started_at is not None and record.ended_at is not None:
        if record.ended_at < record.started_at:
            raise BadRecord("“ended_at” is before “started_at”. Send the moments as they were.")
        if record.ended_at - record.started_at > LONGEST_CALL:
            raise BadRecord("The call lasts longer than two days. Check the sender's clocks.")
    if record.cost is not None and record.currency is None:
        raise BadRecord("“cost” needs its “currency”, such as EUR.")
    return record


def _in_words(error: ValidationError) -> str:
    """The first three problems, each with its field."""
    said = []
    for problem in error.errors()[:3]:
        place = ".".join(str(step) for step in problem["loc"]) or "record"
        if problem["type"] == "extra_forbidden":
            said.append(f"“{place}” is not known here. Leave it out, or put it into “analysis”.")
        elif problem["type"] == "missing":
            said.append(f"“{place}” is missing.")
        else:
            message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
            said.append(f"“{place}”: {message}.")
    return " ".join(dict.fromkeys(said))
