"""What the libraries hold, tools and knowledge bases with documents, and how each becomes part of a draft."""

from .canonical_json import canonical
from .changes import Comparison, compare
from .configuration import AgentConfiguration, Json, Part, Retrieval, ShortText, setting
from .digest import digest_of
from .reading import FieldError, InvalidConfiguration, read_document, write_document

NO_AGENT = "Library"


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
    """A library tool's content, checked like a tool of a draft. Raises InvalidConfiguration with the tool's paths."""
    try:
        configuration = read_document({"name": NO_AGENT, "tools": [{**content, "library": None}]})
    except InvalidConfiguration as error:
        raise InvalidConfiguration(tuple(FieldError(_own(each.path), each.message) for each in error.errors)) from error
    item: Json = write_document(configuration)["tools"][0]
    del item["library"]
    return item


def read_knowledge(content: Json) -> Json:
    """A library knowledge base's content, checked. Raises InvalidConfiguration."""
    item = as_linked_knowledge("check", content_of_knowledge(content), revision=1)
    read_document({"name": NO_AGENT, "knowledge_bases": [item]})
    return content_of_knowledge(content).model_dump(mode="json")


def content_of_knowledge(content: Json) -> KnowledgeContent:
    """The stored content of a knowledge base. Raises InvalidConfiguration."""
    try:
        return KnowledgeContent.model_validate(content)
    except ValueError as error:
        raise InvalidConfiguration((FieldError("", f"The knowledge base cannot be read: {error}"),)) from error


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


def compare_tools(base: Json, head: Json) -> Comparison:
    """The difference of two contents of one tool, also when its name changed."""
    return compare(_around("tools", base), _around("tools", head))


def compare_linked_knowledge(base: Json, head: Json) -> Comparison:
    """The difference of two linked states of one knowledge base."""
    return compare(_around("knowledge_bases", base), _around("knowledge_bases", head))


def _around(field: str, item: Json) -> AgentConfiguration:
    return AgentConfiguration.model_validate({"name": NO_AGENT, field: [{**item, "library": None}]})


def _own(path: str) -> str:
    return path.rpartition("].")[2] if path.startswith("tools[") else ""
