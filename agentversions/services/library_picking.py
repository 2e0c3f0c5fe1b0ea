"""From the libraries into a draft: picking copies, and a newer revision waits until somebody takes it."""

from collections.abc import Iterable
from dataclasses import dataclass

from agentversions.core.changes import Comparison
from agentversions.core.configuration import AgentConfiguration, Json
from agentversions.core.edits import Edit
from agentversions.core.library_items import (
    as_linked_knowledge,
    as_linked_tool,
    compare_linked_knowledge,
    compare_tools,
    content_of_knowledge,
)
from agentversions.core.paths import ItemKey, join
from agentversions.core.reading import write_document
from agentversions.models import Agent, LibraryEntry, User

from .drafts import SavedDraft, edit_draft
from .errors import NameClash, NoUpdate
from .libraries import content_of

FIELDS = {LibraryEntry.Kind.TOOL: ("tools", "name"), LibraryEntry.Kind.KNOWLEDGE_BASE: ("knowledge_bases", "id")}
"""(list of the configuration, the key of its items) by kind of library."""


@dataclass(frozen=True)
class LibraryUpdate:
    """A linked item of a draft whose library entry has moved on: its path, both revisions, and what would change."""

    path: str
    entry: LibraryEntry
    have: int
    latest: int
    comparison: Comparison


def pick(*, agent: Agent, base: str, entries: Iterable[LibraryEntry], actor: User) -> SavedDraft:
    """Copy library entries into the draft. Raises NameClash for a name the draft has, and what saving raises."""
    content = agent.draft.load()
    edits = []
    for entry in entries:
        item = linked_item(entry)
        field, key = FIELDS[LibraryEntry.Kind(entry.kind)]
        if any(getattr(existing, key) == item[key] for existing in getattr(content, field)):
            raise NameClash(f"The draft has “{item[key]}” already. Remove or rename that one first.")
        edits.append(Edit("set", join((field, ItemKey(item[key]))), item))
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
        linked = {item["library"]["entry"]: item for item in document[field] if item["library"]}
        entries = LibraryEntry.objects.active().filter(kind=kind, slug__in=linked).select_related("latest")
        for entry in entries:
            item = linked[entry.slug]
            update = _update(entry, join((field, ItemKey(item[key]))), item)
            if update is not None:
                updates.append(update)
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
    edits = [Edit("set", path, new)] if new[key] == old[key] else _renamed(field, key, document[field], old, new)
    reason = f"Took revision {update.latest} of “{update.entry.name}” from the library"
    return edit_draft(agent=agent, base=base, edits=tuple(edits), reason=reason, actor=actor)


def _update(entry: LibraryEntry, path: str, item: Json) -> LibraryUpdate | None:
    assert entry.latest is not None
    have = item["library"]["revision"]
    if have >= entry.latest.number:
        return None
    compared = compare_tools if entry.kind == LibraryEntry.Kind.TOOL else compare_linked_knowledge
    return LibraryUpdate(path, entry, have, entry.latest.number, compared(item, _taken(entry, item)))


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
