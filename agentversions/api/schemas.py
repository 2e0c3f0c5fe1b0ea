"""What the API takes and gives: bodies are strict (an unknown field is an error), answers are built from the models."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Document = Annotated[
    dict[str, Any],
    # Not a $ref: pydantic looks references up in the document itself, and the schema has an address of its own.
    WithJsonSchema({"type": "object", "description": "A configuration: see /api/v1/configuration.schema.json"}),
]
"""A complete configuration; the reader of the core checks it, and says what is wrong field by field."""
PartOfDocument = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Field(max_length=200)]
Reason = Annotated[str, Field(max_length=2_000)]


class Body(BaseModel):
    """Base of what is sent: no conversion (the text "3" is no number), no unknown field."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewAgent(Body):
    """A new agent. Without a slug one is made from the name."""

    configuration: Document
    slug: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")] | None = None
    folder: Line = ""


class NewDuplicate(Body):
    """The copy's name, and its folder (the original's when left out)."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    folder: Line | None = None


class NewFolder(Body):
    """The folder, such as `Support/Billing`; empty for the top."""

    folder: Line


class WithReason(Body):
    """Why, for the history."""

    reason: Reason = ""


class DraftReplacement(Body):
    """The whole configuration that the draft becomes."""

    configuration: Document
    reason: Reason = ""


class DraftEdit(Body):
    """One edit: `set` a field or a whole item, `remove` an item, `order` a list by its keys."""

    op: Literal["set", "remove", "order"]
    path: Annotated[str, Field(max_length=2_000, examples=["tools[crm].timeout_s"])]
    value: Any = None


class DraftPatch(Body):
    """Either `edits`, or `configuration` with only what changes (RFC 7396: null removes, lists are replaced).

    `base` (a digest) instead of If-Match merges edits with what others saved since, field by field.
    """

    edits: Annotated[list[DraftEdit], Field(max_length=1_000)] | None = None
    configuration: PartOfDocument | None = None
    base: Digest | None = None
    reason: Reason = ""


class NewVersion(Body):
    """The draft becomes a version. `latest_seen` is the newest version's number that you saw (0: none)."""

    name: str
    description: str = ""
    latest_seen: Annotated[int, Field(ge=0)] | None = None
    publish_identical: bool = False


class Restoration(Body):
    """With `publish_first_as` the draft that is replaced becomes a version of that name first."""

    publish_first_as: str | None = None


class NewLive(Body):
    """Which version answers from now on. A rollback needs a reason; `override_reason` passes over what is missing."""

    version: Annotated[int, Field(ge=1)]
    reason: Reason = ""
    override_reason: Reason = ""
    is_rollback: bool = False


class Answer(BaseModel):
    """Base of what is given back."""


class DraftState(Answer):
    """Where a draft stands."""

    digest: str
    changed_at: datetime
    changed_by: str


class AgentAnswer(Answer):
    """An agent; its configuration is in its draft and in its versions."""

    slug: str
    name: str
    kind: str
    folder: str
    archived_at: datetime | None
    created_at: datetime
    created_by: str
    draft: DraftState


class AgentList(Answer):
    """Agents by slug; `next` is the address of the next page, null at the end."""

    items: list[AgentAnswer]
    next: str | None


class FoundProblem(Answer):
    """What keeps a draft from being published, or is only worth a warning."""

    path: str
    detail: str
    is_blocking: bool


class DraftAnswer(DraftState):
    """A draft with its configuration and what stands in the way of publishing it."""

    agent: str
    configuration: Document
    problems: list[FoundProblem]
    merged_others: bool = False


class VersionAnswer(Answer):
    """A published version."""

    agent: str
    number: int
    name: str
    description: str
    digest: str
    created_at: datetime
    created_by: str
    is_live: bool


class VersionWithConfiguration(VersionAnswer):
    """A published version in full."""

    configuration: Document


class VersionList(Answer):
    """Versions, newest first; `next` is the address of the next page, null at the end."""

    items: list[VersionAnswer]
    next: str | None


class RestoredAnswer(Answer):
    """The draft after a restore: its digest, the one it replaced, and the version published first, if any."""

    agent: str
    digest: str
    replaced: str
    published: VersionAnswer | None


class LiveAnswer(Answer):
    """The live version, since when, by whom and why."""

    agent: str
    version: int
    version_name: str
    digest: str
    since: datetime
    by: str
    reason: str
    is_rollback: bool


class SideAnswer(Answer):
    """One side of a comparison; `version` is null for a draft."""

    address: str
    title: str
    digest: str
    version: int | None


class ChangeAnswer(Answer):
    """One difference. `before` or `after` is null where the item was added or removed."""

    path: str
    label: str
    kind: str
    summary: str
    tab: str
    unit: str
    before: Any
    after: Any
    children: list["ChangeAnswer"]


class ComparisonAnswer(Answer):
    """Everything that differs from base to head."""

    agent: str
    base: SideAnswer
    head: SideAnswer
    is_identical: bool
    summary: str
    changes: list[ChangeAnswer]


class ImportedAnswer(Answer):
    """What an import made, what it kept aside, and which secrets the voice platform needs."""

    agent: str
    versions: int
    digest: str
    format: str
    unmapped: list[str]
    secrets: list[str]
    warnings: list[str]


class ProblemField(Answer):
    """What is wrong with one field."""

    path: str
    detail: str


class Problem(Answer):
    """An RFC 9457 problem document (`application/problem+json`)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] | None = None
