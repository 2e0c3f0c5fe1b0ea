"""A case of an evaluation suite: a conversation, what tools answer in it, and what is expected of the agent.

The conversation is a list of turns. A user turn that a written assistant turn follows is history; every other user turn
is answered by the agent under test, in order.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agentversions.core.canonical_json import NotCanonicalisable, canonical, check
from agentversions.core.configuration import Json
from agentversions.core.digest import digest_of

from .expectations import Expectation

MAX_CASE_BYTES = 200_000
MAX_TURNS = 200

Name = Annotated[str, Field(min_length=1, max_length=200)]
Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\s,]+$")]


class BadCase(ValueError):
    """A case that cannot be kept; the message names it and says what to put right."""


class Value(BaseModel):
    """Base of every part of a case: immutable; an unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ToolCall(Value):
    """A tool call in the history of a conversation, with what the tool answered (any JSON)."""

    name: Name
    arguments: Json = Field(default_factory=dict)
    result: Any = None


class Turn(Value):
    """One turn: what the caller says, or what the agent said (with the tools it had called)."""

    role: Literal["user", "assistant"]
    text: str = Field("", max_length=100_000)
    calls: tuple[ToolCall, ...] = ()

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """A turn without words or calls is nothing; only the agent calls tools."""
        if self.role == "user" and self.calls:
            raise ValueError("Only the assistant calls tools. Move the calls into its turn.")
        if not self.text.strip() and not self.calls:
            raise ValueError("A turn is empty. Write what is said, or remove it.")
        return self


class Fixture(Value):
    """What a tool answers during a run. `arguments` (a subset that must match) says to which calls; None: to all."""

    name: Name
    arguments: Json | None = None
    result: Any = None


class Case(Value):
    """One case of a suite. `weight` counts in the score; `must_pass` in the gate."""

    name: Name
    turns: tuple[Turn, ...] = Field(min_length=1, max_length=MAX_TURNS)
    fixtures: tuple[Fixture, ...] = Field((), max_length=500)
    variables: dict[str, str] = Field(default_factory=dict)
    expect: tuple[Expectation, ...] = Field(min_length=1, max_length=100)
    tags: tuple[Tag, ...] = Field((), max_length=30)
    weight: float = Field(1.0, gt=0, le=1000)
    must_pass: bool = False
    note: str = Field("", max_length=10_000)

    @field_validator("tags", mode="after")
    @classmethod
    def each_tag_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Tags in order, each once."""
        return tuple(sorted(set(tags)))

    @model_validator(mode="after")
    def asks_something(self) -> Self:
        """There must be a turn for the agent to answer."""
        if not any(True for _ in open_turns(self.turns)):
            raise ValueError(
                "The conversation ends with the assistant, so there is nothing to answer. End with a user."
            )
        return self

    @property
    def is_judged(self) -> bool:
        """Whether a judge is needed."""
        return any(expectation.is_judged for expectation in self.expect)

    @property
    def conversation_digest(self) -> str:
        """The name of what the agent is given: the same turns, fixtures and variables have the same answers."""
        given = self.model_dump(mode="json", include={"turns", "fixtures", "variables"})
        return digest_of(canonical(given))

    @property
    def question(self) -> str:
        """The last thing that the caller says, for lists."""
        return next(turn.text for turn in reversed(self.turns) if turn.role == "user")


def open_turns(turns: tuple[Turn, ...]) -> Iterator[int]:
    """The indexes of the user turns that the agent answers."""
    for index, turn in enumerate(turns):
        if turn.role == "user" and (index + 1 == len(turns) or turns[index + 1].role == "user"):
            yield index


def read_case(document: Any, place: str = "The case") -> Case:
    """A case of a JSON document from outside. Raises BadCase with a sentence that names it (`place`, its name)."""
    if not isinstance(document, dict):
        raise BadCase(f"{place} is not an object with “name”, “turns” and “expect”.")
    name = document.get("name")
    words = f"{place} “{name[:100]}”" if isinstance(name, str) and name else place
    if not document.get("expect"):
        raise BadCase(
            f"{words} expects nothing. Add at least one expectation, such as a text that the answer contains."
        )
    try:
        check(document)
        case = Case.model_validate(document)
        size = len(case.model_dump_json().encode())
    except NotCanonicalisable as error:
        raise BadCase(f"{words}: {error}") from error
    except ValidationError as error:
        raise BadCase(f"{words}: {_say(error)}") from error
    if size > MAX_CASE_BYTES:
        raise BadCase(
            f"{words} has {size / 1e3:.0f} kB; the limit is {MAX_CASE_BYTES / 1e3:.0f} kB. Shorten its turns."
        )
    return case


def case_document(case: Case) -> Json:
    """The case as JSON values, without what stands at its default: what files hold."""
    document = case.model_dump(mode="json", exclude_defaults=True)
    document["expect"] = [
        one.model_dump(mode="json", exclude_defaults=True) | {"kind": one.kind} for one in case.expect
    ]
    return document


def write_case(case: Case) -> str:
    """The canonical JSON (RFC 8785) of a case: what is stored, and whose SHA-256 is its name."""
    return canonical(case_document(case))


def load_case(body: str) -> Case:
    """The case of a stored body; fields that the schema gained since then get their defaults."""
    return Case.model_validate_json(body)


def _say(error: ValidationError) -> str:
    """The first error in words with its place."""
    detail = error.errors()[0]
    place = ".".join(str(step) for step in detail["loc"] if step not in _KINDS)
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else _plain(detail)
    return f"“{place}”: {message}" if place else message


_KINDS = frozenset(
    {"golden", "contains", "not_contains", "regex", "json_equals", "tool_called", "tool_not_called", "judged"}
)


def _plain(detail: Any) -> str:
    if detail["type"] == "missing":
        return "This is missing. Fill it in."
    if detail["type"] == "extra_forbidden":
        return "There is no such field. Remove it or correct its name."
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"“kind” must be one of {', '.join(sorted(_KINDS))}."
    return f"{detail['msg']}."
