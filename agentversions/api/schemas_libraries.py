"""What the API takes and gives about the libraries of tools and knowledge bases."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from .schemas import Answer, Body, Line, PartOfDocument


class NewEntry(Body):
    """A tool or a knowledge base (`name`, `documents`, `retrieval`) for the library."""

    content: PartOfDocument
    description: Annotated[str, Field(max_length=2_000)] = ""
    slug: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")] | None = None


class NewRevision(Body):
    """The whole new content, on top of revision `seen`."""

    content: PartOfDocument
    seen: Annotated[int, Field(ge=1)]
    description: Annotated[str, Field(max_length=2_000)] | None = None


class EntryAnswer(Answer):
    """A library entry."""

    slug: str
    name: str
    description: str
    revision: int
    digest: str
    revised_at: datetime
    revised_by: str
    archived_at: datetime | None


class EntryWithContent(EntryAnswer):
    """A library entry with its newest content."""

    content: dict[str, Any]


class EntryList(Answer):
    """Entries by name; `next` is the address of the next page, null at the end."""

    items: list[EntryAnswer]
    next: str | None


class Picks(Body):
    """Slugs of library entries to copy into the draft."""

    tools: Annotated[list[Line], Field(max_length=100)] = []
    knowledge: Annotated[list[Line], Field(max_length=100)] = []
