"""The pages of the libraries: entries are found, made, revised and archived, with clear refusals."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from agentversions.models import LibraryEntry
from agentversions.services.libraries import content_of, save_revision
from tests.agentversions.library_entries import FAQ, FORM, KNOWLEDGE, SMS, TOOL, entry_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    """The browser of somebody who may edit."""
    client.force_login(make_user())
    return client


def test_a_tool_is_made_edited_and_its_difference_shown(editor: Client) -> None:
    answer = editor.post("/tools/new/", {**FORM, "seen": "0"})
    assert answer.headers["Location"] == "/tools/send_sms/"
    saved = editor.post("/tools/send_sms/", {**FORM, "timeout_s": "12"}, follow=True)
    assert "Saved as revision 2." in saved.content.decode()
    assert "9 → 12 s" in editor.get("/tools/send_sms/revisions/2/").content.decode()
    assert "It is the first one." in editor.get("/tools/send_sms/revisions/1/").content.decode()
    assert "send_sms" in editor.get("/tools/", {"q": "text sms"}).content.decode()
    assert "Nothing matches" in editor.get("/tools/", {"q": "fax"}).content.decode()


def test_saving_without_a_change_says_so_and_adds_no_revision(editor: Client) -> None:
    editor.post("/tools/new/", {**FORM, "seen": "0"})
    assert "no new revision" in editor.post("/tools/send_sms/", FORM, follow=True).content.decode()
    other = {**FORM, "library_description": "For the clinic"}
    assert "Saved what it is for." in editor.post("/tools/send_sms/", other, follow=True).content.decode()
    assert LibraryEntry.objects.get().revisions.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Give it a name."),
        ({"name": "x" * 300}, "The name is longer than 200 characters."),
        ({"headers": '{"X-Api-Key": "abc"}'}, "looks like a key"),
        ({"headers": '{"X": 5}'}, "Headers"),
        ({"headers": "{,}"}, "Line 1, column 2"),
        ({"headers": '{"A": "1", "A": "2"}'}, "“A”"),
        ({"parameters": "[]"}, "must be a JSON object"),
        ({"parameters": '{"type": "objekt"}'}, "not JSON Schema"),
        ({"parameters": '{"a": NaN}'}, "NaN"),
        ({"timeout_s": "0"}, "more than 0"),
        ({"timeout_s": "soon"}, "Type a number such as 12 or 0.5."),
        ({"endpoint": "https://user:secret@example.com/"}, "holds a key or a password"),
        ({"kind": "magic"}, "magic"),
        ({"seen": "7"}, "saved revision 1 since you opened this"),
        ({"seen": "soon"}, "Enter a whole number."),
    ],
)
def test_a_wrong_tool_form_says_why_and_keeps_what_was_typed(
    editor: Client, fields: dict[str, str], sentence: str
) -> None:
    entry = entry_of(TOOL, **SMS)
    answer = editor.post("/tools/send_sms/", {**FORM, "speech_while_running": "One moment", **fields})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert "One moment" in page
    assert entry.revisions.count() == 1


def test_a_refused_save_names_the_others_change_and_the_second_try_is_on_top_of_it(editor: Client) -> None:
    entry = entry_of(TOOL, **SMS)
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user(username="mira"))
    refused = editor.post("/tools/send_sms/", {**FORM, "description": "What I typed"})
    page = refused.content.decode()
    assert "mira saved revision 2 since you opened this: Timeout 20 → 5 s" in page
    assert "What I typed" in page
    assert "/tools/send_sms/revisions/2/?since=1" in page
    assert 'name="seen" value="2"' in page
    editor.post("/tools/send_sms/", {**FORM, "description": "What I typed", "seen": "2"})
    assert content_of(entry.revisions.latest("number"))["description"] == "What I typed"


def test_documents_are_added_kept_changed_and_removed(editor: Client) -> None:
    more = editor.post("/knowledge/new/", {**FAQ, "add_document": "1"})
    assert "documents-1-title" in more.content.decode()
    assert not LibraryEntry.objects.exists()
    editor.post("/knowledge/new/", FAQ)
    entry = LibraryEntry.objects.get()
    assert content_of(entry.revisions.get())["documents"] == [{"title": "Parking", "text": "Behind the house.\n "}]
    later = {**FAQ, "seen": "1", "documents-INITIAL_FORMS": "1", "documents-0-text": "Behind the new house.\r\n "}
    editor.post("/knowledge/faq/", later)
    difference = editor.get("/knowledge/faq/revisions/2/").content.decode()
    assert "Document “Parking”" in difference
    assert "<ins>new </ins>" in difference
    editor.post("/knowledge/faq/", {**later, "seen": "2", "documents-0-DELETE": "on"})
    assert content_of(entry.revisions.latest("number"))["documents"] == []
    assert "removed" in editor.get("/knowledge/faq/revisions/3/").content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"top_k": "0"}, "Passages must be at least 1."),
        ({"top_k": "many"}, "Type a whole number."),
        ({"min_score": "2"}, "Lowest relevance must be at most 1."),
        ({"documents-0-title": "x" * 300}, "The title is longer than 200 characters."),
        ({"documents-0-text": "x" * 2_100_000}, "The knowledge base has 2.1 MB"),
        ({"documents-TOTAL_FORMS": "soon"}, "This form is incomplete."),
        ({"documents-TOTAL_FORMS": "900"}, "holds up to 200 documents"),
    ],
)
def test_a_wrong_knowledge_form_says_why(editor: Client, fields: dict[str, str], sentence: str) -> None:
    answer = editor.post("/knowledge/new/", {**FAQ, **fields})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not LibraryEntry.objects.exists()


def test_a_broken_count_of_documents_still_makes_room_for_one(editor: Client) -> None:
    answer = editor.post("/knowledge/new/", {**FAQ, "documents-TOTAL_FORMS": "٣x", "add_document": "1"})
    assert answer.status_code == 200
    assert "documents-0-title" in answer.content.decode()


def test_library_texts_are_shown_as_text(editor: Client) -> None:
    entry_of(KNOWLEDGE, name="<script>x</script>", documents=[{"title": "<b>", "text": "</textarea><script>"}])
    page = editor.get("/knowledge/scriptxscript/").content.decode()
    assert "<script>x" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;" in page


@pytest.mark.parametrize("address", ["/tools/", "/knowledge/"])
def test_a_list_takes_as_many_queries_for_60_entries_as_for_one_and_loads_no_content(
    editor: Client, address: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    kind, actor = TOOL if address == "/tools/" else KNOWLEDGE, make_user()
    entry_of(kind, actor, name="first")
    with CaptureQueriesContext(
        connection,
    ) as before:
        editor.get(address)
    for number in range(60):
        entry_of(kind, actor, name=f"entry {number:02}")
    with django_assert_num_queries(len(before)) as after:
        page = editor.get(address).content.decode()
    assert "1–50 of 61" in page
    assert not any('"body"' in query["sql"] for query in after.captured_queries)


@pytest.mark.parametrize("address", ["/tools/", "/knowledge/"])
def test_an_empty_library_says_what_to_do(editor: Client, address: str) -> None:
    assert "Put in what several agents share." in editor.get(address).content.decode()
    assert "Nothing is archived" in editor.get(address, {"archived": "1"}).content.decode()


def test_an_archived_entry_leaves_the_list_and_comes_back(editor: Client) -> None:
    entry_of(TOOL, **SMS)
    assert "keep their copy" in editor.post("/tools/send_sms/archive/", follow=True).content.decode()
    assert "The library is empty" in editor.get("/tools/").content.decode()
    assert "send_sms" in editor.get("/tools/", {"archived": "1"}).content.decode()
    assert "is back in the library" in editor.post("/tools/send_sms/archive/", follow=True).content.decode()


@pytest.mark.parametrize("address", ["/tools/new/", "/knowledge/new/"])
def test_readers_may_not_make_entries(client: Client, address: str) -> None:
    client.force_login(make_user("viewer"))
    assert client.get(address).status_code == 403
    assert client.post(address, FORM).status_code == 403
    assert client.put(address).status_code in (403, 405)


def test_readers_see_entries_but_do_not_save_them(client: Client) -> None:
    entry_of(TOOL, **SMS)
    client.force_login(make_user("viewer"))
    page = client.get("/tools/send_sms/").content.decode()
    assert "Save revision" not in page
    assert '<fieldset class="card-body" disabled>' in page
    assert client.post("/tools/send_sms/", FORM).status_code == 403
    assert client.post("/tools/send_sms/archive/").status_code == 403
    assert client.get("/tools/send_sms/archive/").status_code == 405


@pytest.mark.parametrize(
    "address",
    ["/tools/none/", "/knowledge/none/", "/tools/none/revisions/1/", "/tools/send_sms/revisions/9/"],
)
def test_what_does_not_exist_is_not_found(editor: Client, address: str) -> None:
    entry_of(TOOL, **SMS)
    assert editor.get(address).status_code == 404
    assert editor.put("/tools/").status_code == 405
