"""What differs between the two libraries, and the form of an entry that both share."""

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict

from agentversions.core.canonical_json import canonical, parse
from agentversions.core.configuration import Json, Tool
from agentversions.core.library_items import KnowledgeContent, content_of_knowledge
from agentversions.core.reading import InvalidConfiguration
from agentversions.forms.libraries import DocumentSet, KnowledgeForm, ToolForm, documents_in, with_one_more_document
from agentversions.models import LibraryEntry
from agentversions.services.libraries import content_of


@dataclass(frozen=True)
class Shelf:
    """One library: its kind, its words, and the names of its pages."""

    kind: str
    title: str
    one: str
    icon: str
    word: str
    form: type[forms.Form]

    @property
    def list(self) -> str:
        """The name of the list's page."""
        return f"agentversions:{self.word}_list"

    @property
    def create(self) -> str:
        """The name of the page for a new entry."""
        return f"agentversions:{self.word}_create"

    @property
    def detail(self) -> str:
        """The name of an entry's page."""
        return f"agentversions:{self.word}_detail"

    @property
    def revision(self) -> str:
        """The name of a revision's dialog."""
        return f"agentversions:{self.word}_revision"

    @property
    def archive(self) -> str:
        """The address that archives an entry, or brings it back."""
        return f"agentversions:{self.word}_archive"

    @property
    def pick(self) -> str:
        """The name of the dialog that picks from this library into a draft."""
        return f"agentversions:{self.word}_pick_dialog"

    @property
    def tab(self) -> str:
        """The editor's tab that shows what was picked."""
        return "knowledge" if self.has_documents else "tools"

    @property
    def has_documents(self) -> bool:
        """Whether entries hold documents."""
        return self.kind == LibraryEntry.Kind.KNOWLEDGE_BASE


TOOLS = Shelf(LibraryEntry.Kind.TOOL, "Tools", "tool", "tool", "tool", ToolForm)
KNOWLEDGE = Shelf(
    LibraryEntry.Kind.KNOWLEDGE_BASE, "Knowledge bases", "knowledge base", "books", "knowledge", KnowledgeForm
)
ICONS = ("tool", "books")


class EntryForm:
    """The form of an entry with its documents, filled from the newest revision; refusals keep what was typed."""

    def __init__(self, shelf: Shelf, sent: QueryDict | None, *, entry: LibraryEntry | None = None) -> None:
        self.shelf = shelf
        self.refusal = ""
        self._adds_document = sent is not None and "add_document" in sent
        data = with_one_more_document(sent) if sent is not None and self._adds_document else sent
        initial, documents = _initial(shelf, entry)
        self.fields = shelf.form(data, initial=initial)
        self.documents = DocumentSet(data, initial=documents, prefix="documents") if shelf.has_documents else None

    def is_saved_by(self, request: HttpRequest) -> bool:
        """Whether this request wants to save (not just one more empty document)."""
        return request.method == "POST" and not self._adds_document

    def content(self) -> Json | None:
        """What was typed, None when a field is wrong."""
        is_valid = self.fields.is_valid() and (self.documents is None or self.documents.is_valid())
        if not is_valid:
            return None
        content: Json = self.fields.content()  # type: ignore[attr-defined]
        return {**content, "documents": documents_in(self.documents)} if self.documents is not None else content

    @property
    def library_description(self) -> str:
        """What the library says about the entry."""
        return str(self.fields.cleaned_data["library_description"])

    @property
    def seen(self) -> int:
        """The revision the reader saw."""
        return int(self.fields.cleaned_data["seen"] or 0)

    def refuse(self, refusal: Exception) -> None:
        """Put a service's sentences to the fields they belong to."""
        if isinstance(refusal, InvalidConfiguration):
            for error in refusal.errors:
                name = error.path.removeprefix("retrieval.").split(".")[0]
                self.fields.add_error(name if name in self.fields.fields else None, error.message)
        else:
            self.refusal = str(refusal)

    @property
    def general_errors(self) -> list[str]:
        """What is wrong, but with no field of its own on the page."""
        errors = [*self.fields.non_field_errors(), *self.fields.errors.get("seen", [])]
        return [str(error) for error in [*errors, *(self.documents.non_form_errors() if self.documents else [])]]

    @property
    def is_refused(self) -> bool:
        """Whether something has to be put right."""
        has_errors = self.fields.is_bound and not self.fields.is_valid()
        return not self._adds_document and bool(
            self.refusal or has_errors or (self.documents and self.documents.is_bound and not self.documents.is_valid())
        )


def _initial(shelf: Shelf, entry: LibraryEntry | None) -> tuple[dict[str, Any], list[Json]]:
    """The values of the form: the newest revision's, or the schema's defaults."""
    stored = content_of(entry.latest) if entry and entry.latest else None
    known = {"seen": entry.latest.number, "library_description": entry.description} if entry and entry.latest else {}
    if shelf.has_documents:
        content = content_of_knowledge(stored) if stored else KnowledgeContent(name="")
        values = {"name": content.name, **content.retrieval.model_dump()}
        return {**values, **known}, [document.model_dump() for document in content.documents]
    values = stored or {**parse(canonical(Tool(name="new").model_dump(mode="json"))), "name": ""}
    as_text = {name: json.dumps(values[name], indent=2, ensure_ascii=False) for name in ("headers", "parameters")}
    return {**values, **as_text, **known}, []
