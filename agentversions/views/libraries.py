"""The libraries of tools and knowledge bases: lists, entries with their revisions, archiving."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.reading import InvalidConfiguration
from agentversions.core.roles import Permission
from agentversions.models import LibraryEntry
from agentversions.services.errors import LibraryMoved, SlugTaken
from agentversions.services.libraries import (
    archive_entry,
    content_of,
    create_entry,
    find_entries,
    save_revision,
    unarchive_entry,
)
from config.htmx import fragment_or_page

from .access import actor_of, page
from .library_shelves import KNOWLEDGE, TOOLS, EntryForm, Shelf, comparison_of


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
    file = unarchive_entry if entry.archived_at else archive_entry
    file(entry=entry, actor=actor_of(request))
    return redirect(shelf.detail, slug=slug)


def _list(request: HttpRequest, shelf: Shelf) -> HttpResponse:
    text, is_archived = request.GET.get("q", "").replace("\x00", "").strip(), request.GET.get("archived") == "1"
    context = {
        "shelf": shelf,
        "entries": find_entries(kind=shelf.kind, text=text, is_archived=is_archived),
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
            return redirect(shelf.detail, slug=entry.slug)
    return _form_page(request, {"shelf": shelf, "form": form, "entry": None})


def _detail(request: HttpRequest, shelf: Shelf, slug: str) -> HttpResponse:
    entry = _entry_or_404(shelf, slug)
    form = EntryForm(shelf, request.POST if request.method == "POST" else None, entry=entry)
    if form.is_saved_by(request) and (content := form.content()) is not None:
        try:
            save_revision(
                entry=entry,
                content=content,
                seen=form.seen,
                description=form.library_description,
                actor=actor_of(request),
            )
        except (InvalidConfiguration, LibraryMoved) as refusal:
            form.refuse(refusal)
        else:
            return redirect(shelf.detail, slug=slug)
    revisions = entry.revisions.select_related("created_by").order_by("-number")
    return _form_page(request, {"shelf": shelf, "form": form, "entry": entry, "revisions": revisions})


def _form_page(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    form = context["form"]
    assert isinstance(form, EntryForm)
    return render(request, "agentversions/library_entry.html", context, status=422 if form.is_refused else 200)


def _revision(request: HttpRequest, shelf: Shelf, slug: str, number: int) -> HttpResponse:
    entry = _entry_or_404(shelf, slug)
    revisions = {each.number: each for each in entry.revisions.filter(number__in=(number - 1, number))}
    if number not in revisions:
        raise Http404(f"“{entry.name}” has no revision {number}.")
    base = content_of(revisions[number - 1]) if number - 1 in revisions else None
    context = {
        "shelf": shelf,
        "entry": entry,
        "revision": revisions[number],
        "comparison": comparison_of(shelf, base, content_of(revisions[number])) if base is not None else None,
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
