"""The libraries of tools and knowledge bases, and picking from them into a draft."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from agentversions.models import LibraryEntry
from agentversions.services.libraries import (
    archive_entry,
    content_of,
    create_entry,
    find_entries,
    save_revision,
    unarchive_entry,
)
from agentversions.services.library_picking import pick

from .addresses import next_page
from .agents import Size, Words
from .answers import draft_answer
from .authentication import EDIT, READ, actor_of
from .conditions import digest_seen, etag
from .finding import find_agent
from .schemas import DraftAnswer
from .schemas_libraries import EntryAnswer, EntryList, EntryWithContent, NewEntry, NewRevision, Picks

Kind = LibraryEntry.Kind
picks = Router()


@picks.post(
    "/agents/{slug:slug}/draft/picks",
    auth=EDIT,
    response=DraftAnswer,
    url_name="draft_picks",
    summary="Pick from the libraries",
)
def pick_into_draft(request: HttpRequest, response: HttpResponse, slug: str, body: Picks) -> DraftAnswer:
    """Copies the newest revision of each entry into the draft, and remembers where it came from."""
    agent = find_agent(slug)
    entries = [_find(Kind.TOOL, name) for name in body.tools]
    entries += [_find(Kind.KNOWLEDGE_BASE, name) for name in body.knowledge]
    saved = pick(agent=agent, base=digest_seen(request) or agent.draft_id, entries=entries, actor=actor_of(request))
    response["ETag"] = etag(saved.agent.draft_id)
    return draft_answer(saved.agent, saved.content, merged_others=saved.merged_others)


def router_of(kind: str, name: str, words: str) -> Router:
    """The operations of one library: `/tools` or `/knowledge`."""
    router = Router()
    entry_path = f"/{name}/{{slug:slug}}"

    @router.get(f"/{name}", auth=READ, response=EntryList, url_name=name, summary=f"List {words}", operation_id=name)
    def list_all(
        request: HttpRequest, search: Words = "", archived: bool = False, skip: int = 0, limit: Size = 100
    ) -> EntryList:
        """By name; `search` takes words of name, slug or description; `archived` those put away."""
        start = max(0, min(skip, 1_000_000))
        rows = list(find_entries(kind=kind, text=search, is_archived=archived)[start : start + limit + 1])
        following = next_page(request, skip=start + limit) if len(rows) > limit else None
        return EntryList(items=[_entry(row) for row in rows[:limit]], next=following)

    @router.post(
        f"/{name}",
        auth=EDIT,
        response={201: EntryWithContent},
        url_name=name,
        summary=f"Add to the {words}",
        operation_id=f"{name}_create",
    )
    def create(request: HttpRequest, response: HttpResponse, body: NewEntry) -> EntryWithContent:
        """Its content becomes revision 1. Without a slug one is made from the name."""
        entry = create_entry(
            kind=kind,
            content=body.content,
            description=body.description,
            slug=body.slug or "",
            actor=actor_of(request),
        )
        response["Location"] = reverse(f"api:{name}_entry", args=[entry.slug])
        return _full(_find(kind, entry.slug))

    @router.get(
        entry_path,
        auth=READ,
        response=EntryWithContent,
        url_name=f"{name}_entry",
        summary=f"Read one of the {words}",
        operation_id=f"{name}_read",
    )
    def read(request: HttpRequest, slug: str) -> EntryWithContent:
        """With its newest content."""
        return _full(_find(kind, slug))

    @router.put(
        entry_path,
        auth=EDIT,
        response=EntryWithContent,
        url_name=f"{name}_entry",
        summary=f"Revise one of the {words}",
        operation_id=f"{name}_revise",
    )
    def revise(request: HttpRequest, slug: str, body: NewRevision) -> EntryWithContent:
        """A new revision; no draft changes before somebody takes it. 409 when a newer one than `seen` is there."""
        save_revision(
            entry=_find(kind, slug),
            content=body.content,
            seen=body.seen,
            description=body.description,
            actor=actor_of(request),
        )
        return _full(_find(kind, slug))

    @router.post(
        f"{entry_path}/archive",
        auth=EDIT,
        response=EntryAnswer,
        url_name=f"{name}_archive",
        summary=f"Archive one of the {words}",
        operation_id=f"{name}_archive",
    )
    def archive(request: HttpRequest, slug: str) -> EntryAnswer:
        """Drafts and versions that picked it keep their copy."""
        archive_entry(entry=_find(kind, slug), actor=actor_of(request))
        return _entry(_find(kind, slug))

    @router.post(
        f"{entry_path}/unarchive",
        auth=EDIT,
        response=EntryAnswer,
        url_name=f"{name}_unarchive",
        summary=f"Bring back one of the {words}",
        operation_id=f"{name}_unarchive",
    )
    def unarchive(request: HttpRequest, slug: str) -> EntryAnswer:
        """Exactly as it was."""
        unarchive_entry(entry=_find(kind, slug), actor=actor_of(request))
        return _entry(_find(kind, slug))

    return router


def _find(kind: str, slug: str) -> LibraryEntry:
    entry: LibraryEntry | None = (
        LibraryEntry.objects.filter(kind=kind, slug=slug).select_related("latest__created_by").first()
        if "\x00" not in slug
        else None
    )
    if entry is None:
        raise Http404(f"The library has no {Kind(kind).label.lower()} “{slug[:100]}”.")
    return entry


def _entry(entry: LibraryEntry) -> EntryAnswer:
    return EntryAnswer(**_fields(entry))


def _full(entry: LibraryEntry) -> EntryWithContent:
    assert entry.latest is not None
    return EntryWithContent(**_fields(entry), content=content_of(entry.latest))


def _fields(entry: LibraryEntry) -> dict[str, Any]:
    assert entry.latest is not None
    return {
        "slug": entry.slug,
        "name": entry.name,
        "description": entry.description,
        "revision": entry.latest.number,
        "digest": entry.latest.digest,
        "revised_at": entry.latest.created_at,
        "revised_by": entry.latest.created_by.username,
        "archived_at": entry.archived_at,
    }
