"""From a draft into the library: a tool that proved itself becomes an entry, or the next revision of its entry."""

from dataclasses import dataclass

from django.db import transaction

from agentversions.core.configuration import AgentConfiguration, Json, Tool
from agentversions.core.edits import Edit
from agentversions.core.library_changes import ContentChange, tool_changes
from agentversions.core.paths import ItemKey, join
from agentversions.models import Agent, LibraryEntry, User

from .drafts import SavedDraft, edit_draft
from .errors import LibraryMoved, NoSuchTool
from .libraries import content_of, create_entry, save_revision

KIND = LibraryEntry.Kind.TOOL


@dataclass(frozen=True)
class Keeping:
    """What keeping a tool would do: a new entry (`entry` is None), or a revision with these changes on its entry. `lag`
    says why it cannot be kept while the library has a newer revision than the draft took; empty when it can."""

    tool: Tool
    entry: LibraryEntry | None
    changes: tuple[ContentChange, ...]
    lag: str = ""


def prepare_keeping(content: AgentConfiguration, name: str) -> Keeping:
    """Look what keeping a tool of the draft would do. Raises NoSuchTool."""
    tool = next((each for each in content.tools if each.name == name), None)
    if tool is None:
        raise NoSuchTool(f"The draft has no tool “{name}”.")
    entry = None
    if tool.library is not None:
        linked = LibraryEntry.objects.active().filter(kind=KIND, slug=tool.library.entry)
        entry = linked.select_related("latest").first()
    if entry is None or entry.latest is None:
        return Keeping(tool, None, ())
    changes = tool_changes(content_of(entry.latest), _content(tool))
    return Keeping(tool, entry, changes, _say_lag(tool, entry.latest.number))


@transaction.atomic
def keep_tool(*, agent: Agent, base: str, name: str, description: str = "", actor: User) -> SavedDraft:
    """Put a tool of the draft into the library and link the draft's tool to it.

    Raises NoSuchTool, SlugTaken, LibraryMoved (the library has a newer revision than the draft took), and what saving
    raises; then neither the library nor the draft has changed.
    """
    keeping = prepare_keeping(agent.draft.load(), name)
    if keeping.entry is None:
        entry = create_entry(kind=KIND, content=_content(keeping.tool), description=description, actor=actor)
    else:
        entry = _revise(keeping, actor)
    assert entry.latest is not None
    link = {"entry": entry.slug, "revision": entry.latest.number}
    edit = Edit("set", join(("tools", ItemKey(name), "library")), link)
    return edit_draft(agent=agent, base=base, edits=(edit,), reason="Saved to the library", actor=actor)


def _revise(keeping: Keeping, actor: User) -> LibraryEntry:
    assert keeping.entry is not None
    assert keeping.entry.latest is not None
    if keeping.lag:
        raise LibraryMoved(keeping.lag)
    seen = keeping.entry.latest.number
    return save_revision(entry=keeping.entry, content=_content(keeping.tool), seen=seen, actor=actor)


def _say_lag(tool: Tool, latest: int) -> str:
    have = tool.library.revision if tool.library else latest
    if have >= latest:
        return ""
    return f"The library has revision {latest}, this draft took {have}. Take the newer one first, then save yours."


def _content(tool: Tool) -> Json:
    return tool.model_dump(mode="json", exclude={"library"})
