"""The libraries of tools and knowledge bases: lists, entries with their revisions, archiving."""

import re

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.json_text import pretty
from agentversions.core.reading import InvalidConfiguration
from agentversions.core.roles import Permission
from agentversions.models import LibraryEntry
from agentversions.services.errors import LibraryMoved, SlugTaken
from agentversions.services.libraries import (
    archive_entry,
    changes_between,
    content_of,
    create_entry,
    list_entries,
    list_revisions,
    save_revision,
    unarchive_entry,
)
from config.htmx import fragment_or_page

from .access import actor_of, page
from .library_shelves import KNOWLEDGE, TOOLS, EntryForm, Shelf

NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@page(Permission.READ)
def tool_list(request: HttpRequest) -> HttpResponse:
    """The tools to pick from."""
    return _list(request, TOOLS)


@page(Permission.READ)
def knowledge_list(request: HttpRequest) -> HttpResponse:
    """The knowledge bases to pick from."""
    return _list(request, KNOWLEDGE)


@page(Permission.EDIT, "GET", "POST")
def tool_create(request: HttpRequest) -> HttpResponse:
    """A new tool in the library."""
    return _create(request, TOOLS)


@page(Permission.EDIT, "GET", "POST")
def knowledge_create(request: HttpRequest) -> HttpResponse:
    """A new knowledge base in the library."""
    return _create(request, KNOWLEDGE)


@page(Permission.READ, "GET", "POST", write=Permission.EDIT)
def tool_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One tool: its content to edit, and its revisions."""
    return _detail(request, TOOLS, slug)


@page(Permission.READ, "GET", "POST", write=Permission.EDIT)
def knowledge_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One knowledge base: its content to edit, and its revisions."""
    return _detail(request, KNOWLEDGE, slug)


@page(Permission.READ)
def tool_revision(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """What one revision of a tool changed."""
    return _revision(request, TOOLS, slug, number)


@page(Permission.READ)
def knowledge_revision(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """What one revision of a knowledge base changed."""
    return _revision(request, KNOWLEDGE, slug, number)


@page(Permission.EDIT, "POST")
def library_archive(request: HttpRequest, kind: str, slug: str) -> HttpResponse:
    """Takes an entry out of its library, or puts it back; copies in drafts and versions stay."""
    shelf = KNOWLEDGE if kind == "knowledge" else TOOLS
    entry = _entry_or_404(shelf, slug)
    if entry.archived_at:
        unarchive_entry(entry=entry, actor=actor_of(request))
        messages.success(request, f"“{entry.name}” is back in the library.")
    else:
        archive_entry(entry=entry, actor=actor_of(request))
        messages.success(request, f"Archived “{entry.name}”. Drafts and versions that picked it keep their copy.")
    return redirect(shelf.detail, slug=slug)


def _list(request: HttpRequest, shelf: Shelf) -> HttpResponse:
    text, is_archived = request.GET.get("q", "").replace("\x00", "").strip()[:200], request.GET.get("archived") == "1"
    context = {
        "shelf": shelf,
        "entries": list_entries(kind=shelf.kind, text=text, is_archived=is_archived, page=request.GET.get("page", "1")),
        "text": text,
        "is_archived": is_archived,
    }
    return fragment_or_page(
        request, "agentversions/fragments/library_table.html", context, page="agentversions/library_list.html"
    )


def _create(request: HttpRequest, shelf: Shelf) -> HttpResponse:
    form = EntryForm(shelf, request.POST if request.method == "POST" else None)
    if form.is_saved_by(request) and (content := form.content()) is not None:
        try:
            entry = create_entry(
                kind=shelf.kind, content=content, description=form.library_description, actor=actor_of(request)
            )
        except (InvalidConfiguration, SlugTaken) as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"“{entry.name}” is in the library now.")
            return redirect(shelf.detail, slug=entry.slug)
    return _form_page(request, form, {"shelf": shelf, "entry": None})


def _detail(request: HttpRequest, shelf: Shelf, slug: str) -> HttpResponse:
    entry = _entry_or_404(shelf, slug)
    form = EntryForm(shelf, request.POST if request.method == "POST" else None, entry=entry)
    if form.is_saved_by(request) and (content := form.content()) is not None:
        try:
            saved = save_revision(
                entry=entry,
                content=content,
                seen=form.seen,
                description=form.library_description,
                actor=actor_of(request),
            )
        except (InvalidConfiguration, LibraryMoved) as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _say_saved(entry, saved))
            return redirect(shelf.detail, slug=slug)
    context = {
        "shelf": shelf,
        "entry": entry,
        "revisions": list_revisions(entry, page=request.GET.get("page", "1")),
        "since": form.seen if form.refusal else None,
    }
    return _form_page(request, form, context)


def _say_saved(before: LibraryEntry, after: LibraryEntry) -> str:
    assert before.latest is not None
    assert after.latest is not None
    if after.latest.number > before.latest.number:
        return f"Saved as revision {after.latest.number}. Drafts that picked it are told."
    if after.description != before.description:
        return "Saved what it is for. The content is the same, so there is no new revision."
    return "Nothing differs from what is there, so there is no new revision."


def _form_page(request: HttpRequest, form: EntryForm, context: dict[str, object]) -> HttpResponse:
    status = 422 if form.is_refused else 200
    return render(request, "agentversions/library_entry.html", {**context, "form": form}, status=status)


def _revision(request: HttpRequest, shelf: Shelf, slug: str, number: int) -> HttpResponse:
    """What changed since the revision before, or since another one that the address names (`?since=3`)."""
    entry = _entry_or_404(shelf, slug)
    since = request.GET.get("since", "")
    base_number = int(since) if NUMBER.fullmatch(since) else number - 1
    both = entry.revisions.select_related("created_by").filter(number__in=(base_number, number))
    revisions = {revision.number: revision for revision in both}
    base, head = revisions.get(base_number), revisions.get(number)
    if head is None:
        raise Http404(f"“{entry.name}” has no revision {number}.")
    context = {
        "shelf": shelf,
        "entry": entry,
        "revision": head,
        "base": base,
        "changes": changes_between(kind=shelf.kind, base=base, head=head) if base else (),
        "content": pretty(content_of(head)),
        "address": reverse(shelf.detail, args=[slug]),
        "title": f"Revision {number} of {entry.name}",
    }
    return fragment_or_page(request, "agentversions/fragments/library_revision_dialog.html", context)


def _entry_or_404(shelf: Shelf, slug: str) -> LibraryEntry:
    entry: LibraryEntry | None = (
        LibraryEntry.objects.filter(kind=shelf.kind, slug=slug).select_related("latest__created_by").first()
    )
    if entry is None:
        raise Http404(f"The library has no {shelf.one} “{slug}”.")
    return entry
