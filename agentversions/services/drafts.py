"""Saving a draft: edits merge field by field, and somebody else's newer save is never overwritten."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.merging import merge
from agentversions.core.paths import UnknownPath
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document, write_document
from agentversions.models import Agent, Configuration, User

from .audit import record, record_once_per_sitting
from .draft_pointer import lock_agent, move_draft, refuse_archived
from .errors import DraftMoved, EditsConflict


@dataclass(frozen=True)
class SavedDraft:
    """Where the draft stands after a save; `merged_others` says that somebody else's newer save is part of it."""

    agent: Agent
    content: AgentConfiguration
    merged_others: bool


@transaction.atomic
def edit_draft(*, agent: Agent, base: str, edits: tuple[Edit, ...], reason: str = "", actor: User) -> SavedDraft:
    """Apply edits that were made on the draft state `base` (a digest); if it moved on meanwhile, merge.

    Raises InvalidConfiguration (a field is wrong), EditsConflict (the same field was changed by somebody else; nothing
    is saved), DraftMoved (`base` is not a known state), AgentArchived.
    """
    locked = lock_agent(agent)
    refuse_archived(locked)
    seen = locked.draft if locked.draft_id == base else _known_state(locked, base)
    seen_document = write_document(seen.load())
    mine = _apply(seen_document, edits)
    document, merged_others = mine, False
    if locked.draft_id != base:
        theirs = write_document(locked.draft.load())
        merged = merge(base=seen_document, mine=mine, theirs=theirs)
        if merged.conflicts:
            raise EditsConflict(merged.conflicts, locked.draft_id)
        document, merged_others = merged.document, theirs != seen_document
    content = read_document(document)
    _store_and_move(locked, content, reason, actor)
    return SavedDraft(locked, content, merged_others)


@transaction.atomic
def replace_draft(
    *, agent: Agent, content: AgentConfiguration, expected: str | None = None, reason: str = "", actor: User
) -> SavedDraft:
    """Make the draft exactly this configuration. With `expected` (a digest) refuse when the draft stands elsewhere."""
    locked = lock_agent(agent)
    refuse_archived(locked)
    if expected is not None and locked.draft_id != expected:
        raise DraftMoved("Somebody else saved this draft. Load it again, then repeat your change.", locked.draft_id)
    checked = read_document(write_document(content))
    before = locked.draft_id
    _store_and_move(locked, checked, reason, actor, is_audited=False)
    if locked.draft_id != before:
        record(
            action="draft replaced",
            subject_kind="agent",
            subject=locked.slug,
            reason=reason,
            before={"digest": before},
            after={"digest": locked.draft_id},
            actor=actor,
        )
    return SavedDraft(locked, checked, merged_others=False)


def _known_state(agent: Agent, digest: str) -> Configuration:
    """A former state of this agent's draft (never another agent's), so that a merge has its common ancestor."""
    is_known = agent.history.filter(draft_id=digest).exists() or agent.versions.filter(configuration=digest).exists()
    state = Configuration.objects.filter(digest=digest).first() if is_known else None
    if state is None:
        raise DraftMoved("The state you edited is not known here. Load the draft again.", agent.draft_id)
    return state


def _apply(document: dict[str, Any], edits: tuple[Edit, ...]) -> dict[str, Any]:
    """The edited document, checked as a whole, so that a wrong field is refused before any merge."""
    try:
        edited = apply_edits(document, edits)
    except UnknownPath as error:
        raise InvalidConfiguration((FieldError("", str(error)),)) from error
    return write_document(read_document(edited))


def _store_and_move(
    locked: Agent, content: AgentConfiguration, reason: str, actor: User, *, is_audited: bool = True
) -> None:
    before = locked.draft_id
    configuration = Configuration.objects.store(content)
    if configuration.digest == before:
        return
    move_draft(agent=locked, configuration=configuration, content=content, reason=reason, actor=actor)
    if is_audited:
        record_once_per_sitting(
            action="draft edited", subject_kind="agent", subject=locked.slug, before={"digest": before}, actor=actor
        )
