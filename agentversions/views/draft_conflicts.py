"""Two people changed the same field: what each wrote, shown side by side, and a choice for each field."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.edits import Edit
from agentversions.core.merging import Conflict
from agentversions.core.paths import MISSING, label_of, shown_as, unit_of, value_at
from agentversions.core.reading import write_document
from agentversions.core.text_diff import Fold, InlineRow, diff_text, fold, inline
from agentversions.core.typed_values import LinedError
from agentversions.core.wording import say_value
from agentversions.models import Agent

MANY = 400
"""Characters from which on two texts are shown as a difference."""


@dataclass(frozen=True)
class ConflictView:
    """One field with what it was, what they made of it and what I made of it."""

    conflict: Conflict
    number: int

    @property
    def label(self) -> str:
        """The field in words."""
        return label_of(self.conflict.path) or self.conflict.path

    @property
    def base(self) -> str:
        """What the field was when both began, empty when that is not known."""
        return "" if self.conflict.base is MISSING else self._words(self.conflict.base)

    @property
    def mine(self) -> str:
        """What I typed."""
        return self._words(self.conflict.mine)

    @property
    def theirs(self) -> str:
        """What is saved now."""
        return self._words(self.conflict.theirs)

    @cached_property
    def rows(self) -> tuple[InlineRow | Fold[InlineRow], ...]:
        """The lines with the words that differ, from theirs to mine, where the texts are long."""
        is_long = "\n" in self.theirs + self.mine or len(self.theirs) + len(self.mine) > MANY
        return fold(inline(diff_text(self.theirs, self.mine).rows)) if is_long else ()

    def _words(self, value: Any) -> str:
        if value is MISSING:
            return "(removed)"
        if isinstance(value, str) and value:
            return value
        if isinstance(value, dict | list) and shown_as(self.conflict.path) != "order":
            return json.dumps(value, indent=2, ensure_ascii=False)
        return say_value(value, unit_of(self.conflict.path))


def conflict_answer(request: HttpRequest, agent: Agent, conflicts: tuple[Conflict, ...], digest: str) -> HttpResponse:
    """409 with the dialog, and for the page's scripts the edit that each choice of “mine” stands for."""
    views = [ConflictView(conflict, number) for number, conflict in enumerate(conflicts)]
    context = {"agent": agent, "conflicts": views, "them": agent.draft_changed_by}
    html = render_to_string("agentversions/fragments/editor_conflict_dialog.html", context, request)
    answer = {"digest": digest, "html": html, "conflicts": [_as_edit(conflict) for conflict in conflicts]}
    return JsonResponse(answer, status=409)


def conflicts_with_draft(agent: Agent, edits: tuple[Edit, ...]) -> tuple[Conflict, ...]:
    """Each edit beside the draft, when the state it was typed on is gone: nobody can tell who changed what."""
    content: AgentConfiguration = agent.draft.load()
    document = write_document(content)
    conflicts = (
        Conflict(edit.path, MISSING, MISSING if edit.op == "remove" else edit.value, value_at(document, edit.path))
        for edit in edits
        if edit.op != "order"
    )
    return tuple(conflict for conflict in conflicts if conflict.mine != conflict.theirs)


def conflict_errors(conflicts: tuple[Conflict, ...]) -> tuple[LinedError, ...]:
    """For the page without scripts: each field says what the other person saved; saving again keeps one's own."""
    return tuple(
        LinedError(
            view.conflict.path,
            f"Somebody else changed this meanwhile to: {view.theirs} Save again to keep what stands here.",
        )
        for view in (ConflictView(conflict, number) for number, conflict in enumerate(conflicts))
    )


def _as_edit(conflict: Conflict) -> dict[str, Any]:
    return {"path": conflict.path, "mine": _putting(conflict.mine), "theirs": _putting(conflict.theirs)}


def _putting(value: Any) -> dict[str, Any]:
    """The edit, without its path, that makes a place have this value."""
    return {"op": "remove", "value": None} if value is MISSING else {"op": "set", "value": value}
