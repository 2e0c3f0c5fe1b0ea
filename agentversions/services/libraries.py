"""Keeping the libraries of tools and knowledge bases: every save is a revision, and none reaches into a draft."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from agentversions.core.canonical_json import canonical, parse
from agentversions.core.configuration import Json
from agentversions.core.digest import digest_of
from agentversions.core.library_items import read_knowledge, read_tool
from agentversions.models import LibraryEntry, LibraryRevision, User
from agentversions.models.database import ClockTimestamp

from .audit import record
from .errors import LibraryMoved, SlugTaken

RESERVED_SLUGS = frozenset({"new"})


def content_of(revision: LibraryRevision) -> Json:
    """The content of a revision as JSON values."""
    content: Json = parse(revision.body)
    return content


def find_entries(*, kind: str, text: str = "", is_archived: bool = False) -> Any:
    """The entries of a library whose name, slug or description holds every word, with their newest revision."""
    return (
        LibraryEntry.objects.filter(kind=kind, archived_at__isnull=not is_archived)
        .search(text)
        .select_related("latest__created_by")
    )


@transaction.atomic
def create_entry(*, kind: str, content: Json, description: str = "", slug: str = "", actor: User) -> LibraryEntry:
    """A new entry with its first revision. Raises InvalidConfiguration, SlugTaken."""
    checked = _checked(kind, content)
    wanted = slug or slugify(checked["name"])[:90] or kind.replace("_", "-")
    if wanted in RESERVED_SLUGS:
        raise SlugTaken(f"The address “{wanted}” is a page of its own. Choose another name.")
    entry = LibraryEntry(kind=kind, slug=wanted, name=checked["name"], description=description.strip())
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as error:
        raise SlugTaken(f"The library has “{wanted}” already. Open that entry, or choose another name.") from error
    _append(entry, 1, checked, actor)
    return entry


@transaction.atomic
def save_revision(
    *, entry: LibraryEntry, content: Json, seen: int, description: str | None = None, actor: User
) -> LibraryEntry:
    """A new revision on top of revision `seen`; saving what is there already adds none.

    Raises InvalidConfiguration, and LibraryMoved when somebody else saved a newer revision than `seen`.
    """
    checked = _checked(entry.kind, content)
    locked = LibraryEntry.objects.select_for_update().get(pk=entry.pk)
    latest = LibraryRevision.objects.select_related("created_by").filter(entry=locked).latest("number")
    if latest.number != seen:
        raise LibraryMoved(
            f"{latest.created_by} saved revision {latest.number} since you opened this. "
            "Look at it beside what you typed, then save again."
        )
    if description is not None and description.strip() != locked.description:
        locked.description = description.strip()
        locked.save(update_fields=["description"])
    if digest_of(canonical(checked)) != latest.digest:
        _append(locked, latest.number + 1, checked, actor)
    return locked


@transaction.atomic
def archive_entry(*, entry: LibraryEntry, actor: User) -> LibraryEntry:
    """Take an entry out of the library; drafts and versions that picked it keep their copy."""
    return _file(entry, is_archived=True, actor=actor)


@transaction.atomic
def unarchive_entry(*, entry: LibraryEntry, actor: User) -> LibraryEntry:
    """Put an archived entry back into the library."""
    return _file(entry, is_archived=False, actor=actor)


def _file(entry: LibraryEntry, *, is_archived: bool, actor: User) -> LibraryEntry:
    locked: LibraryEntry = LibraryEntry.objects.select_for_update().get(pk=entry.pk)
    if (locked.archived_at is not None) != is_archived:
        locked.archived_at = ClockTimestamp() if is_archived else None
        locked.save(update_fields=["archived_at"])
        action = "library entry archived" if is_archived else "library entry brought back"
        record(action=action, subject_kind=locked.kind, subject=locked.slug, actor=actor)
    return locked


def _checked(kind: str, content: Json) -> Json:
    return read_tool(content) if kind == LibraryEntry.Kind.TOOL else read_knowledge(content)


def _append(entry: LibraryEntry, number: int, content: Json, actor: User) -> None:
    body = canonical(content)
    before = entry.latest_id
    revision = LibraryRevision.objects.create(
        entry=entry, number=number, body=body, digest=digest_of(body), created_by=actor
    )
    entry.latest, entry.name = revision, content["name"]
    entry.save(update_fields=["latest", "name"])
    record(
        action="library entry created" if before is None else "library entry revised",
        subject_kind=entry.kind,
        subject=entry.slug,
        after={"revision": number, "digest": revision.digest},
        actor=actor,
    )
