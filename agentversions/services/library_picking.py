"""From the libraries into a draft: picking copies, and a newer revision waits until somebody takes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agentversions.core.configuration import AgentConfiguration, Json
from agentversions.core.edits import Edit
from agentversions.core.library_changes import ContentChange, knowledge_changes, tool_changes
from agentversions.core.library_items import as_linked_knowledge, as_linked_tool, content_of_knowledge
from agentversions.core.paths import ItemKey, join
from agentversions.core.reading import write_document
from agentversions.models import Agent, LibraryEntry, User

from .drafts import SavedDraft, edit_draft
from .errors import NameClash, NoUpdate
from .libraries import content_of, find_entries

FIELDS = {LibraryEntry.Kind.TOOL: ("tools", "name"), LibraryEntry.Kind.KNOWLEDGE_BASE: ("knowledge_bases", "id")}
"""(list of the configuration, the key of its items) by kind of library."""
OFFERED = 100
"""Entries that a pick dialog lists before it asks to search."""


@dataclass(frozen=True)
class LibraryUpdate:
    """A linked item of a draft whose library entry has moved on: its path, the item, both revisions."""

    path: str
    item: Json
    entry: LibraryEntry
    have: int
    latest: int

    @cached_property
    def changes(self) -> tuple[ContentChange, ...]:
        """What taking the newest revision would change: a tool in the draft itself, a knowledge base's documents since
        the revision that was linked (the draft keeps its own retrieval settings)."""
        if self.entry.kind == LibraryEntry.Kind.TOOL:
            return tool_changes(self.item, linked_item(self.entry))
        assert self.entry.latest is not None
        linked = self.entry.revisions.filter(number=self.have).first()
        retrieval, head = {"retrieval": self.item["retrieval"]}, content_of(self.entry.latest)
        documents = content_of(linked)["documents"] if linked else []
        return knowledge_changes(
            {"name": self.item["name"], "documents": documents, **retrieval}, {**head, **retrieval}
        )


@dataclass(frozen=True)
class Choice:
    """An entry that can be picked. `clash` says why it cannot be picked now, empty when it can."""

    entry: LibraryEntry
    is_chosen: bool
    clash: str


@dataclass(frozen=True)
class Choices:
    """What a pick dialog offers, and whether the library holds more that a search would find."""

    rows: tuple[Choice, ...]
    has_more: bool


def choices(content: AgentConfiguration, *, kind: str, text: str = "", chosen: Iterable[str] = ()) -> Choices:
    """The entries that a search finds, after those that are chosen already, whether the search finds them or not."""
    field, key = FIELDS[LibraryEntry.Kind(kind)]
    in_draft = {getattr(item, key): item.library.entry if item.library else "" for item in getattr(content, field)}
    kept = list(find_entries(kind=kind).filter(slug__in=list(chosen)))
    found = list(find_entries(kind=kind, text=text).exclude(pk__in=[entry.pk for entry in kept])[: OFFERED + 1])
    rows = []
    for entry in [*kept, *found[:OFFERED]]:
        clash = _say_clash(in_draft, entry)
        rows.append(Choice(entry, entry in kept and not clash, clash))
    return Choices(tuple(rows), len(found) > OFFERED)


def pick(*, agent: Agent, base: str, entries: Iterable[LibraryEntry], actor: User) -> SavedDraft:
    """Copy library entries into the draft. Raises NameClash for a name the draft has, and what saving raises."""
    content = agent.draft.load()
    edits: list[Edit] = []
    for entry in entries:
        item = linked_item(entry)
        field, key = FIELDS[LibraryEntry.Kind(entry.kind)]
        path = join((field, ItemKey(item[key])))
        if any(getattr(existing, key) == item[key] for existing in getattr(content, field)):
            raise NameClash(f"The draft has “{item[key]}” already. Remove or rename that one first.")
        if any(edit.path == path for edit in edits):
            raise NameClash(f"Two of these are called “{item[key]}”. Pick one of them, and rename it before the other.")
        edits.append(Edit("set", path, item))
    return edit_draft(agent=agent, base=base, edits=tuple(edits), reason="Picked from the library", actor=actor)


def linked_item(entry: LibraryEntry) -> Json:
    """An entry's newest revision as a draft holds it."""
    assert entry.latest is not None
    content, revision = content_of(entry.latest), entry.latest.number
    if entry.kind == LibraryEntry.Kind.TOOL:
        return as_linked_tool(entry.slug, content, revision=revision)
    return as_linked_knowledge(entry.slug, content_of_knowledge(content), revision=revision)


def updates_for(content: AgentConfiguration) -> list[LibraryUpdate]:
    """Every linked tool and knowledge base that the library has a newer revision of, in the draft's order."""
    document, updates = write_document(content), []
    for kind, (field, key) in FIELDS.items():
        linked = [item for item in document[field] if item["library"]]
        entries = _entries_by_slug(kind, {item["library"]["entry"] for item in linked})
        for item in linked:
            entry = entries.get(item["library"]["entry"])
            if entry is not None and entry.latest.number > item["library"]["revision"]:
                path, have = join((field, ItemKey(item[key]))), item["library"]["revision"]
                updates.append(LibraryUpdate(path, item, entry, have, entry.latest.number))
    return updates


def take_update(*, agent: Agent, base: str, path: str, actor: User) -> SavedDraft:
    """Replace a linked item of the draft by the library's newest revision, in its place. Raises NoUpdate."""
    update = next((each for each in updates_for(agent.draft.load()) if each.path == path), None)
    if update is None:
        raise NoUpdate("The library has nothing newer. Reload the page.")
    document = write_document(agent.draft.load())
    field, key = FIELDS[LibraryEntry.Kind(update.entry.kind)]
    old = next(item for item in document[field] if join((field, ItemKey(item[key]))) == path)
    new = _taken(update.entry, old)
    if new[key] != old[key] and any(item[key] == new[key] for item in document[field]):
        raise NameClash(
            f"The library calls it “{new[key]}” now, and the draft has another of that name. Rename that one first."
        )
    edits = [Edit("set", path, new)] if new[key] == old[key] else _renamed(field, key, document[field], old, new)
    reason = f"Took revision {update.latest} of “{update.entry.name}” from the library"
    return edit_draft(agent=agent, base=base, edits=tuple(edits), reason=reason, actor=actor)


def _say_clash(in_draft: dict[str, str], entry: LibraryEntry) -> str:
    """`in_draft`: the library entry of each item of the draft by its key, empty where it has none."""
    name = entry.name if entry.kind == LibraryEntry.Kind.TOOL else entry.slug
    if name not in in_draft:
        return ""
    if in_draft[name] == entry.slug:
        return "In the draft already."
    return f"The draft has another “{name}”. Rename or remove that one first."


def _entries_by_slug(kind: str, slugs: set[str]) -> dict[str, Any]:
    """The entries in use that have moved past their first revision, with their newest."""
    if not slugs:
        return {}
    moved = LibraryEntry.objects.active().filter(kind=kind, slug__in=slugs, latest__number__gt=1)
    return {entry.slug: entry for entry in moved.select_related("latest")}


def _taken(entry: LibraryEntry, old: Json) -> Json:
    """The newest revision as it would stand in the draft; a knowledge base keeps the draft's own retrieval settings."""
    new = linked_item(entry)
    return {**new, "retrieval": old["retrieval"]} if entry.kind == LibraryEntry.Kind.KNOWLEDGE_BASE else new


def _renamed(field: str, key: str, items: list[Json], old: Json, new: Json) -> list[Edit]:
    """The library gave the tool another name: the new one takes the old one's place in the order."""
    order = [new[key] if item[key] == old[key] else item[key] for item in items]
    return [
        Edit("remove", join((field, ItemKey(old[key])))),
        Edit("set", join((field, ItemKey(new[key]))), new),
        Edit("order", field, order),
    ]
