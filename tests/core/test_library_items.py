"""What the libraries hold is checked like a draft, and the difference of two revisions says and shows everything."""

from typing import Any

import pytest

from agentversions.core.library_changes import ROW_LIMIT, in_words, knowledge_changes, tool_changes
from agentversions.core.library_items import content_of_knowledge, read_knowledge, read_tool
from agentversions.core.reading import InvalidConfiguration

SMS = {"name": "send_sms", "description": "Sends a text", "endpoint": "https://sms.example.com/"}


def faq(*documents: tuple[str, str], **fields: Any) -> dict[str, Any]:
    listed = [{"title": title, "text": text} for title, text in documents]
    return read_knowledge({"name": "FAQ", "documents": listed, **fields})


def errors_of(read: Any, content: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidConfiguration) as refused:
        read(content)
    return [(error.path, error.message) for error in refused.value.errors]


def test_a_tool_is_stored_complete_and_without_a_link() -> None:
    stored = read_tool({**SMS, "library": {"entry": "x", "revision": 3}})
    assert "library" not in stored
    assert (stored["method"], stored["timeout_s"]) == ("POST", 20)


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"timeout_s": 0}, "timeout_s", "Timeout must be more than 0"),
        ({"kind": "magic"}, "kind", "Runs as must be one of"),
        ({"headers": {"X-Api-Key": "abc"}}, "headers", "looks like a key"),
        ({"endpoint": "https://user:pass@example.com/"}, "endpoint", "holds a key or a password"),
        ({"parameters": {"type": "objekt"}}, "parameters", "The parameters are not JSON Schema"),
        ({"name": "x" * 300}, "name", "longer than 200 characters"),
        ({"description": "\x00"}, "", "NUL"),
    ],
)
def test_a_wrong_tool_is_refused_at_its_own_field(fields: dict[str, Any], path: str, words: str) -> None:
    ((where, said),) = errors_of(read_tool, {**SMS, **fields})
    assert where == path
    assert words in said
    assert not said.startswith("Tool ")


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"name": " "}, "name", "Give it a name."),
        ({"name": "x" * 300}, "name", "longer than 200 characters"),
        ({"retrieval": {"top_k": 0}}, "retrieval.top_k", "Passages must be at least 1"),
        ({"documents": [{"title": "", "text": "x"}]}, "documents.0.title", "A document needs a title."),
        ({"documents": [{"title": "a"}, {"title": "b" * 300}]}, "documents.1.title", "longer than 200"),
        ({"documents": [{"title": "a", "text": "x" * 2_100_000}]}, "", "2.1 MB; the limit is 2 MB. Split it into two."),
        ({"documents": [{"title": "a", "text": "\x00"}]}, "", "NUL"),
        ({"documents": "none"}, "", "This is no knowledge base."),
        ({"extra": 1}, "", "This is no knowledge base."),
    ],
)
def test_a_wrong_knowledge_base_is_refused_in_words(fields: dict[str, Any], path: str, words: str) -> None:
    ((where, said),) = errors_of(read_knowledge, {"name": "FAQ", **fields})
    assert where == path
    assert words in said


def test_the_fingerprint_is_of_the_documents_alone() -> None:
    base = content_of_knowledge(faq(("Parking", "Behind the house.")))
    renamed = content_of_knowledge(faq(("Parking", "Behind the house."), name="Other", retrieval={"top_k": 9}))
    longer = content_of_knowledge(faq(("Parking", "Behind the house."), ("Hours", "")))
    assert base.fingerprint == renamed.fingerprint
    assert base.fingerprint != longer.fingerprint


def test_a_renamed_tool_is_the_same_tool() -> None:
    before, after = read_tool(SMS), read_tool({**SMS, "name": "send_text", "timeout_s": 5})
    assert in_words(tool_changes(before, after)) == "Name send_sms → send_text; Timeout 20 → 5 s"
    assert tool_changes(before, before) == ()


def test_long_texts_are_shown_line_by_line_and_short_values_in_words() -> None:
    after = read_tool({**SMS, "description": "Sends a short text", "method": "PUT"})
    description, method = tool_changes(read_tool(SMS), after)
    assert (description.label, description.summary) == ("Description", "+1 word")
    assert [run.text for row in description.rows for run in row.runs if run.kind == "added"] == ["short "]
    assert (method.label, method.summary, method.rows) == ("Method", "POST → PUT", ())


def test_documents_are_compared_by_title() -> None:
    before = faq(("Parking", "Behind the house."), ("Hours", "9 to 5"), ("Fax", "No fax."))
    after = faq(("Hours", "9 to 6"), ("Parking", "Behind the house."), ("Bus", "Line 3."))
    changes = knowledge_changes(before, after)
    assert [(change.label, change.kind) for change in changes] == [
        ("Document “Hours”", "changed"),
        ("Document “Fax”", "removed"),
        ("Document “Bus”", "added"),
        ("Documents", "changed"),
    ]
    assert changes[0].summary == "+1 −1 words"
    assert changes[3].summary == "put in another order"


def test_several_documents_of_one_title_are_all_compared() -> None:
    before, after = faq(("Note", "one"), ("Note", "two")), faq(("Note", "one"), ("Note", "three"))
    assert [(change.label, change.summary) for change in knowledge_changes(before, after)] == [
        ("Document “Note”", "+1 −1 words")
    ]


def test_a_huge_difference_is_cut_and_says_so() -> None:
    text = "\n".join(f"Line {number}" for number in range(3 * ROW_LIMIT))
    (change,) = knowledge_changes(faq(), faq(("Long", text)))
    assert len(change.rows) == ROW_LIMIT
    assert change.is_cut
