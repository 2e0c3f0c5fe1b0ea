"""What the libraries hold, tools and knowledge bases with documents, and how each becomes part of a draft."""

from collections.abc import Iterator
from typing import Any

from .canonical_json import NotCanonicalisable, canonical, check
from .configuration import Json, Part, Retrieval, ShortText, Tool, setting
from .digest import digest_of
from .paths import label_of
from .problems import schema_error
from .reading import FieldError, InvalidConfiguration, read_document, write_document

NO_AGENT = "Library"
NAME_LIMIT = 200
TOO_LONG = ("Move long texts into a knowledge base.", "Split it into two.")
"""What to do about a configuration that is too long, and about a knowledge base."""


class Document(Part):
    """One document of a knowledge base."""

    title: ShortText = setting(label="Title")
    text: str = setting("", label="Text", kind="text")


class KnowledgeContent(Part):
    """A knowledge base of the library: its documents, and how passages are chosen unless a draft says otherwise."""

    name: ShortText = setting(label="Name")
    retrieval: Retrieval = setting(Retrieval, label="Retrieval")
    documents: tuple[Document, ...] = setting((), label="Document")

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the canonical JSON of the documents: the same content always has the same fingerprint."""
        return digest_of(canonical([document.model_dump(mode="json") for document in self.documents]))


def read_tool(content: Json) -> Json:
    """A library tool's content, checked like a tool of a draft, its parameters too: nobody shares an unfinished tool.
    Raises InvalidConfiguration with the tool's paths."""
    item = _read_item("tools", {**content, "library": None})
    if (message := schema_error(Tool.model_validate(item))) is not None:
        raise InvalidConfiguration((FieldError("parameters", f"The parameters are not JSON Schema: {message}."),))
    del item["library"]
    return item


def read_knowledge(content: Json) -> Json:
    """A library knowledge base's content, checked. Raises InvalidConfiguration."""
    retrieval = {"retrieval": content["retrieval"]} if "retrieval" in content else {}
    _read_item("knowledge_bases", {"id": NO_AGENT, **retrieval})
    errors = (*_name_errors(content.get("name")), *_document_errors(content.get("documents", [])))
    if errors:
        raise InvalidConfiguration(errors)
    try:
        check(content)
        checked = content_of_knowledge(content).model_dump(mode="json")
        canonical(checked)
    except NotCanonicalisable as error:
        words = str(error).replace("The configuration has", "The knowledge base has").replace(*TOO_LONG)
        raise InvalidConfiguration((FieldError("", words),)) from error
    return checked


def content_of_knowledge(content: Json) -> KnowledgeContent:
    """The stored content of a knowledge base. Raises InvalidConfiguration."""
    try:
        return KnowledgeContent.model_validate(content)
    except ValueError as error:
        raise InvalidConfiguration((FieldError("", "This is no knowledge base. Check its fields."),)) from error


def as_linked_tool(entry: str, content: Json, *, revision: int) -> Json:
    """The tool as a draft holds it: a copy that remembers where it came from."""
    return {**content, "library": {"entry": entry, "revision": revision}}


def as_linked_knowledge(entry: str, content: KnowledgeContent, *, revision: int) -> Json:
    """The knowledge base as a draft holds it: id, name, retrieval and the fingerprint of the content at this moment."""
    return {
        "id": entry,
        "name": content.name,
        "fingerprint": content.fingerprint,
        "retrieval": content.retrieval.model_dump(mode="json"),
        "library": {"entry": entry, "revision": revision},
    }


def _read_item(field: str, item: Json) -> Json:
    """The item as a draft would store it; refusals name the item's own fields, not the list of a draft."""
    try:
        configuration = read_document({"name": NO_AGENT, field: [item]})
    except InvalidConfiguration as error:
        raise InvalidConfiguration(tuple(_own(each, field) for each in error.errors)) from error
    stored: Json = write_document(configuration)[field][0]
    return stored


def _own(error: FieldError, field: str) -> FieldError:
    """The error at the item's own field, without the words that place it in a draft (`Tool crm: Timeout …`)."""
    item, inside, path = error.path.rpartition("].")
    if not inside or not item.startswith(f"{field}["):
        return FieldError("", error.message)
    return FieldError(path, error.message.removeprefix(f"{label_of(f'{item}]')}: "))


def _name_errors(name: Any) -> Iterator[FieldError]:
    if not isinstance(name, str) or not name.strip():
        yield FieldError("name", "Give it a name.")
    elif len(name) > NAME_LIMIT:
        yield FieldError("name", f"The name is longer than {NAME_LIMIT} characters. Shorten it.")


def _document_errors(documents: Any) -> Iterator[FieldError]:
    """What is wrong with each document, at `documents.0.title`."""
    for index, document in enumerate(documents if isinstance(documents, list | tuple) else ()):
        title = document.get("title") if isinstance(document, dict) else None
        if not isinstance(title, str) or not title.strip():
            yield FieldError(f"documents.{index}.title", "A document needs a title.")
        elif len(title) > NAME_LIMIT:
            message = f"The title is longer than {NAME_LIMIT} characters. Shorten it."
            yield FieldError(f"documents.{index}.title", message)
