"""What the API gives about the past: what was live, saved states of a draft, who wrote which line."""

from datetime import datetime

from .schemas import Answer, LiveAnswer


class DeploymentList(Answer):
    """What was live, newest first; `next` is the address of the next page, null at the end."""

    items: list[LiveAnswer]
    next: str | None


class PastDraft(Answer):
    """One saved state of a draft; `version` is the newest version with exactly this configuration."""

    digest: str
    replaced: str
    saved_at: datetime
    saved_by: str
    reason: str
    version: int | None


class PastDraftList(Answer):
    """Saved states, newest first; `next` is the address of the next page, null at the end."""

    items: list[PastDraft]
    next: str | None


class TakenBack(Answer):
    """The draft after it was taken back: its digest, and the one it replaced."""

    agent: str
    digest: str
    replaced: str


class BlamedLine(Answer):
    """A line of a prompt with the version that introduced it; `or_older` when the search ended there."""

    number: int
    text: str
    version: int
    version_name: str
    by: str
    or_older: bool
