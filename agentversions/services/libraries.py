"""Keeping the libraries of tools and knowledge bases: every save is a revision, and none reaches into a draft."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from agentversions.core.canonical_json import canonical, parse
from agentversions.core.configuration import Json
from agentversions.core.digest import digest_of
from agentversions.core.library_changes import ContentChange, in_words, knowledge_changes, tool_changes
from agentversions.core.library_items import read_knowledge, read_tool
from agentversions.models import LibraryEntry, LibraryRevision, User
from agentversions.models.database import ClockTimestamp

from .audit import record
from .errors import LibraryMoved, SlugTaken

RESERVED_SLUGS = frozenset({"new"})
"""Slugs that are addresses of pages."""
PER_PAGE = 50
LONGEST_CHANGE = 300
"""Characters of somebody else's change that a refusal names."""


def content_of(revision: LibraryRevision) -> Json:
    """The content of a revision as JSON values."""
    content: Json = parse(revision.body)
    return content


def find_entries(*, kind: str, text: str = "", is_archived: bool = False) -> Any:
    """The entries of a library whose name, slug or description holds every word, with who revised them last.

    The contents stay where they are: a knowledge base may weigh 2 MB."""
    found = LibraryEntry.objects.filter(kind=kind, archived_at__isnull=not is_archived).search(text)
    return found.select_related("latest__created_by").defer("latest__body").order_by("name", "pk")


def list_entries(*, kind: str, text: str = "", is_archived: bool = False, page: str | int = 1) -> Page[Any]:
    """One page of a library; a page beyond the end is the last one."""
    return Paginator(find_entries(kind=kind, text=text, is_archived=is_archived), PER_PAGE).get_page(page)


def list_revisions(entry: LibraryEntry, *, page: str | int = 1) -> Page[Any]:
    """One page of an entry's revisions, newest first, without their contents."""
    revisions = entry.revisions.select_related("created_by").defer("body").order_by("-number")
    return Paginator(revisions, PER_PAGE).get_page(page)


def changes_between(*, kind: str, base: LibraryRevision, head: LibraryRevision) -> tuple[ContentChange, ...]:
    """What differs between two revisions of an entry."""
    compared = tool_changes if kind == LibraryEntry.Kind.TOOL else knowledge_changes
    return compared(content_of(base), content_of(head))


@transaction.atomic
def create_entry(*, kind: str, content: Json, description: str = "", slug: str = "", actor: User) -> LibraryEntry:
    """A new entry with its first revision. Raises InvalidConfiguration, and SlugTaken for a name the library has."""
    checked = _checked(kind, content)
    wanted = slug or _slug_for(kind, checked["name"])
    entry = LibraryEntry(kind=kind, slug=wanted, name=checked["name"], description=description.strip())
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as error:
        raise SlugTaken(
            f"The library has “{wanted}” already, in use or archived. Open that entry, or choose another name."
        ) from error
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
        raise LibraryMoved(_say_moved(locked, seen, latest))
    if description is not None and description.strip() != locked.description:
        _describe(locked, description.strip(), actor)
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


def _slug_for(kind: str, name: str) -> str:
    """The name's slug; a name without one (Arabic, `New`) gets a number behind a plain word."""
    slug = slugify(name)[:90]
    if slug and slug not in RESERVED_SLUGS:
        return slug
    stem = slug or kind.replace("_", "-")
    like_it = LibraryEntry.objects.filter(kind=kind, slug__startswith=stem)
    taken = RESERVED_SLUGS | set(like_it.values_list("slug", flat=True))
    return next(free for free in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if free not in taken)


def _say_moved(entry: LibraryEntry, seen: int, latest: LibraryRevision) -> str:
    """Who saved what in between, and what to do now."""
    base = LibraryRevision.objects.filter(entry=entry, number=seen).first()
    words = in_words(changes_between(kind=entry.kind, base=base, head=latest)) if base else ""
    said = f": {words[:LONGEST_CHANGE]}" if words else ""
    return (
        f"{latest.created_by} saved revision {latest.number} since you opened this{said}. "
        "What you typed is kept below. Save again to put it on top."
    )


def _describe(entry: LibraryEntry, description: str, actor: User) -> None:
    """What the library says about the entry; no part of its content, so no revision."""
    before, entry.description = entry.description, description
    entry.save(update_fields=["description"])
    record(
        action="library entry described",
        subject_kind=entry.kind,
        subject=entry.slug,
        before={"description": before},
        after={"description": description},
        actor=actor,
    )


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
