"""The difference of two revisions of a library entry: settings in words, texts and documents line by line."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from .changes import Change, compare
from .configuration import AgentConfiguration, Json
from .library_items import NO_AGENT, Document, as_linked_knowledge, content_of_knowledge
from .text_diff import TextDiff, diff_text
from .text_views import Fold, InlineRow, fold, inline
from .wording import LONGEST_SENTENCE, say_text_change, say_value

ROW_LIMIT = 400
"""Rows of one text that a dialog shows."""
THE_ITEM = "item"
"""Both sides stand under one key while they are compared, so that a renamed tool is still the same tool."""


@dataclass(frozen=True)
class ContentChange:
    """One difference: where, in a few words what, and for texts the difference itself. `kind` is changed, added or
    removed."""

    label: str
    summary: str
    kind: str = "changed"
    diff: TextDiff | None = None

    @cached_property
    def rows(self) -> "tuple[InlineRow | Fold[InlineRow], ...]":
        """The text's rows in one column, unchanged parts folded, no more than a dialog can show."""
        return tuple(islice(fold(inline(self.diff.rows)), ROW_LIMIT)) if self.diff else ()

    @property
    def is_cut(self) -> bool:
        """Whether the text has more rows than are shown."""
        return len(self.rows) == ROW_LIMIT


def tool_changes(base: Json, head: Json) -> tuple[ContentChange, ...]:
    """What differs between two contents of one tool."""
    return (*_name_change(base["name"], head["name"]), *_field_changes("tools", "name", base, head))


def knowledge_changes(base: Json, head: Json) -> tuple[ContentChange, ...]:
    """What differs between two contents of one knowledge base, document by document."""
    old, new = content_of_knowledge(base), content_of_knowledge(head)
    sides = [
        {**as_linked_knowledge(THE_ITEM, side, revision=1), "fingerprint": "", "library": None} for side in (old, new)
    ]
    return (*_field_changes("knowledge_bases", "id", *sides), *_document_changes(old.documents, new.documents))


def in_words(changes: tuple[ContentChange, ...]) -> str:
    """The difference as part of a sentence: `Timeout 20 → 5 s; Description +3 words`."""
    return "; ".join(f"{change.label} {change.summary}" for change in changes)


def _name_change(before: str, after: str) -> Iterator[ContentChange]:
    if before != after:
        yield ContentChange("Name", f"{say_value(before)} → {say_value(after)}")


def _field_changes(field: str, key: str, base: Json, head: Json) -> Iterator[ContentChange]:
    sides = (
        AgentConfiguration.model_validate({"name": NO_AGENT, field: [{**side, key: THE_ITEM, "library": None}]})
        for side in (base, head)
    )
    for item in compare(*sides).changes:
        for change in item.children:
            label = change.label.removeprefix(f"{item.label}: ")
            yield ContentChange(label, change.summary, diff=change.text_diff if _is_text(change) else None)


def _is_text(change: Change) -> bool:
    """Whether words alone do not say what changed."""
    is_long = isinstance(change.before, str) and len(f"{change.before}{change.after}") > LONGEST_SENTENCE
    return change.shown_as in ("text", "json") or is_long


def _document_changes(before: tuple[Document, ...], after: tuple[Document, ...]) -> Iterator[ContentChange]:
    """Documents are matched by title; of several with one title, the first with the first."""
    old, new = _by_title(before), _by_title(after)
    for place in [*old, *(place for place in new if place not in old)]:
        label = f"Document “{place[0]}”"
        if place not in new:
            yield ContentChange(label, "removed", "removed", diff_text(old[place], ""))
        elif place not in old:
            yield ContentChange(label, "added", "added", diff_text("", new[place]))
        elif old[place] != new[place]:
            diff = diff_text(old[place], new[place])
            yield ContentChange(label, say_text_change(old[place], new[place], diff), diff=diff)
    if [place for place in old if place in new] != [place for place in new if place in old]:
        yield ContentChange("Documents", "put in another order")


def _by_title(documents: tuple[Document, ...]) -> dict[tuple[str, int], str]:
    """The texts by title and how many of this title came before."""
    texts: dict[tuple[str, int], str] = {}
    seen: Counter[str] = Counter()
    for document in documents:
        texts[document.title, seen[document.title]] = document.text
        seen[document.title] += 1
    return texts
