"""What the API takes and gives about evaluation suites, runs and results."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from .schemas import Answer, Body, Digest, Document, Line, PartOfDocument


class NewSuite(Body):
    """A suite; without `agent` it is shared by all."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=2_000)] = ""
    agent: Annotated[str, Field(max_length=100)] | None = None
    slug: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")] | None = None


class SuiteAnswer(Answer):
    """A suite and its newest revision; `digest` is that of its cases."""

    slug: str
    name: str
    description: str
    agent: str | None
    revision: int
    digest: str
    cases: int
    archived_at: datetime | None


class SuiteList(Answer):
    """Suites by name; `next` is the address of the next page, null at the end."""

    items: list[SuiteAnswer]
    next: str | None


class CaseChanges(Body):
    """Cases to put in (one of the same name is replaced) and names to take out; `is_whole`: what is not put goes.

    `seen`: the revision you saw; without it, whatever it is.
    """

    put: Annotated[list[PartOfDocument], Field(max_length=5_000)] = []
    remove: Annotated[list[Line], Field(max_length=5_000)] = []
    is_whole: bool = False
    seen: Annotated[int, Field(ge=1)] | None = None


class ImportAnswer(Answer):
    """What an import did, and the cases that were left out (the first fifty)."""

    suite: SuiteAnswer
    added: int
    replaced: int
    removed: int
    unchanged: int
    problems: list[str]


class CaseList(Answer):
    """Cases in order; `next` is the address of the next page, null at the end."""

    revision: int
    items: list[dict[str, Any]]
    next: str | None


class RunLimits(Body):
    """Where a run asks, how much at once, and what it may pay; `is_fresh` takes no kept answers."""

    environment: Annotated[str, Field(max_length=20)] = "production"
    concurrency: int = 5
    max_calls: Annotated[int, Field(le=2_000_000_000)] | None = None
    # JSON has no decimals: a number or a text such as "2.50" is one.
    max_cost: Annotated[Decimal, Field(strict=False, max_digits=12, decimal_places=6)] | None = None
    is_fresh: bool = False


class NewRun(RunLimits):
    """A suite against a `target` of an agent: `draft`, `live` or a version's number."""

    suite: Annotated[str, Field(max_length=100)]
    agent: Annotated[str, Field(max_length=100)]
    target: Annotated[str, Field(max_length=80, pattern=r"^[^\x00/]+$")] = "draft"


class RunAnswer(Answer):
    """A run: what was run, how far it is (`counts` by outcome), what it paid. `score` from 0 to 1 once it has ended."""

    id: int
    suite: str
    revision: int
    agent: str
    version: int | None
    digest: str
    environment: str
    settings: dict[str, Any]
    state: str
    stopped_by: str
    cases: int
    counts: dict[str, int]
    paid_calls: int
    paid: Decimal | None
    score: float | None
    created_at: datetime
    created_by: str
    ended_at: datetime | None


class NewCheck(RunLimits):
    """Suites (those that the agent requires) against a `configuration` that need be no version yet, or a `target`.

    Of an `agent`, or of the one that a `folder` of the followed repository holds; `commit` is where git has it.
    `with_live`: also against the live version where a suite was not run on it. Limits hold for each run.
    """

    agent: Annotated[str, Field(max_length=100)] | None = None
    folder: Annotated[str, Field(max_length=100)] | None = None
    configuration: Document | None = None
    target: Annotated[str, Field(max_length=80, pattern=r"^[^\x00/]+$")] | None = None
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")] = ""
    suites: Annotated[list[Line], Field(max_length=100)] | None = None
    with_live: bool = True


class CheckAnswer(Answer):
    """What was started: the agent, the digest of what is run, and the runs; nothing for a folder without an agent."""

    agent: str | None
    digest: Digest | None
    runs: list[RunAnswer]


class RunList(Answer):
    """Runs, newest first; `next` is the address of the next page, null at the end."""

    items: list[RunAnswer]
    next: str | None


class ResultAnswer(Answer):
    """What became of a case: its checks, the conversation, what it cost."""

    position: int
    name: str
    outcome: str
    must_pass: bool
    weight: float
    tags: list[str]
    checks: list[dict[str, Any]]
    transcript: list[dict[str, Any]]
    error: str
    calls: int
    paid_calls: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    latency_ms: int | None


class ResultList(Answer):
    """Results in order of the cases; `next` is the address of the next page, null at the end."""

    items: list[ResultAnswer]
    next: str | None


class NewMark(Body):
    """What a person says of a result."""

    is_pass: bool
    note: Annotated[str, Field(max_length=5_000)] = ""


class MarkAnswer(Answer):
    """A mark that was kept."""

    is_pass: bool
    note: str
    created_by: str
    created_at: datetime


class FlipAnswer(Answer):
    """A case that flipped: `broken` (pass → fail), `mended` (fail → pass) or `unclear`."""

    name: str
    kind: str
    must_pass: bool


class FlipRowAnswer(Answer):
    """The cases of a tag (empty: all): how many did what; `difference` of the weighted score, with its interval."""

    tag: str
    broken: int
    mended: int
    passes: int
    fails: int
    unclear: int
    difference: float | None
    interval: tuple[float, float]
    p_value: float


class FlipTable(Answer):
    """Two runs compared, case by case."""

    base: int
    head: int
    rows: list[FlipRowAnswer]
    flips: list[FlipAnswer]
    only_base: list[str]
    only_head: list[str]
