"""The libraries: every save is a revision, picking copies, updates wait to be taken, nothing moves by itself."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.core.edits import Edit
from agentversions.core.library_items import content_of_knowledge
from agentversions.core.reading import InvalidConfiguration
from agentversions.models import Agent, Configuration, LibraryEntry, User
from agentversions.services.drafts import edit_draft
from agentversions.services.errors import LibraryMoved, NameClash, NoUpdate, SlugTaken
from agentversions.services.libraries import archive_entry, content_of, create_entry, save_revision
from agentversions.services.library_picking import pick, take_update, updates_for
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
TOOL, KNOWLEDGE = LibraryEntry.Kind.TOOL, LibraryEntry.Kind.KNOWLEDGE_BASE
SMS = {"name": "send_sms", "description": "Sends a text", "endpoint": "https://sms.example.com/"}
FAQ = {"name": "Clinic FAQ", "documents": [{"title": "Parking", "text": "Behind the house."}]}
FORM = {
    "seen": "1", "name": "send_sms", "description": "Sends", "kind": "webhook", "method": "POST", "timeout_s": "9",
    "endpoint": "https://sms.example.com/", "headers": "{}", "parameters": "{}", "library_description": "Texts",
}  # fmt: skip


def entry_of(kind: str, content: dict[str, Any], actor: User | None = None) -> LibraryEntry:
    return create_entry(kind=kind, content=content, actor=actor or make_user())


def picked(agent: Agent, entry: LibraryEntry) -> Agent:
    return pick(agent=agent, base=agent.draft_id, entries=[entry], actor=agent.created_by).agent


def test_picking_copies_the_tool_and_remembers_where_it_came_from() -> None:
    agent = picked(make_agent(), entry_of(TOOL, SMS))
    tool = agent.draft.load().tools[-1]
    assert (tool.name, tool.endpoint) == ("send_sms", "https://sms.example.com/")
    assert tool.library is not None
    assert (tool.library.entry, tool.library.revision) == ("send_sms", 1)
    assert agent.history.first().history_change_reason == "Picked from the library"


def test_picking_a_knowledge_base_keeps_the_fingerprint_of_its_content() -> None:
    entry = entry_of(KNOWLEDGE, FAQ)
    linked = picked(make_agent(), entry).draft.load().knowledge_bases[0]
    assert (linked.id, linked.name) == (entry.slug, "Clinic FAQ")
    assert linked.fingerprint == content_of_knowledge(FAQ).fingerprint
    assert len(linked.fingerprint) == 64


def test_a_library_edit_leaves_every_draft_and_version_byte_identical() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    version = make_version(agent)
    bodies = dict(Configuration.objects.values_list("digest", "body"))
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    agent.refresh_from_db()
    assert dict(Configuration.objects.values_list("digest", "body")) == bodies
    assert agent.draft_id == version.configuration_id


def test_an_update_is_offered_with_its_difference_and_taken_only_on_request() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    assert updates_for(agent.draft.load()) == []
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    (update,) = updates_for(agent.draft.load())
    assert (update.path, update.have, update.latest) == ("tools[send_sms]", 1, 2)
    assert [(change.label, change.summary) for change in update.changes] == [("Timeout", "20 → 5 s")]
    taken = take_update(agent=agent, base=agent.draft_id, path=update.path, actor=agent.created_by)
    assert taken.content.tools[-1].timeout_s == 5
    assert updates_for(taken.content) == []
    with pytest.raises(NoUpdate):
        take_update(agent=taken.agent, base=taken.agent.draft_id, path=update.path, actor=agent.created_by)


def test_taking_an_update_keeps_the_place_of_a_renamed_tool() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    last = {"name": "last", "kind": "client"}
    agent = edit_draft(
        agent=agent, base=agent.draft_id, edits=(Edit("set", "tools[last]", last),), actor=agent.created_by
    ).agent
    save_revision(entry=entry, content={**SMS, "name": "send_text"}, seen=1, actor=make_user())
    taken = take_update(agent=agent, base=agent.draft_id, path="tools[send_sms]", actor=agent.created_by)
    assert [tool.name for tool in taken.content.tools] == ["transfer_to_human", "send_text", "last"]


def test_taking_new_documents_keeps_the_drafts_own_retrieval_settings() -> None:
    entry = entry_of(KNOWLEDGE, FAQ)
    agent = picked(make_agent(), entry)
    path = f"knowledge_bases[{entry.slug}].retrieval.top_k"
    agent = edit_draft(agent=agent, base=agent.draft_id, edits=(Edit("set", path, 9),), actor=agent.created_by).agent
    save_revision(entry=entry, content={**FAQ, "documents": []}, seen=1, actor=make_user())
    (update,) = updates_for(agent.draft.load())
    taken = take_update(agent=agent, base=agent.draft_id, path=update.path, actor=agent.created_by)
    linked = taken.content.knowledge_bases[0]
    assert linked.retrieval.top_k == 9
    assert linked.fingerprint == content_of_knowledge({"name": "Clinic FAQ"}).fingerprint


def test_saving_what_is_there_already_adds_no_revision() -> None:
    entry = entry_of(TOOL, SMS)
    save_revision(entry=entry, content=SMS, seen=1, description="Texts", actor=make_user())
    entry.refresh_from_db()
    assert (entry.revisions.count(), entry.description) == (1, "Texts")


def test_saving_on_top_of_somebody_elses_revision_is_refused_by_name() -> None:
    entry, other = entry_of(TOOL, SMS), make_user(username="mira")
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=other)
    with pytest.raises(LibraryMoved, match="mira saved revision 2"):
        save_revision(entry=entry, content={**SMS, "timeout_s": 7}, seen=1, actor=make_user())
    assert content_of(entry.revisions.latest("number"))["timeout_s"] == 5


def test_secrets_and_wrong_fields_are_refused_as_in_a_draft() -> None:
    with pytest.raises(InvalidConfiguration, match="looks like a key") as refused:
        entry_of(TOOL, {**SMS, "headers": {"X-Api-Key": "abc"}})
    assert refused.value.errors[0].path == "headers"
    with pytest.raises(InvalidConfiguration):
        entry_of(KNOWLEDGE, {**FAQ, "retrieval": {"top_k": 0}})


def test_a_name_that_the_library_has_already_is_refused() -> None:
    entry = entry_of(TOOL, SMS)
    archive_entry(entry=entry, actor=make_user())
    with pytest.raises(SlugTaken, match="“send_sms” already, in use or archived"):
        entry_of(TOOL, SMS)


def test_names_without_latin_letters_and_names_of_pages_get_an_address() -> None:
    names = ["الأسئلة", "问答", "New", "new"]
    slugs = [entry_of(KNOWLEDGE, {"name": name}).slug for name in names]
    assert slugs == ["knowledge-base", "knowledge-base-2", "new-2", "new-3"]


def test_a_name_the_draft_has_already_is_refused() -> None:
    agent, entry = make_agent(), entry_of(TOOL, {**SMS, "name": "transfer_to_human"})
    with pytest.raises(NameClash, match="“transfer_to_human”"):
        picked(agent, entry)


def test_an_archived_entry_offers_no_update() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    archive_entry(entry=entry, actor=make_user())
    assert updates_for(agent.draft.load()) == []


def test_a_tool_is_made_edited_and_its_difference_shown(client: Client) -> None:
    client.force_login(make_user())
    answer = client.post("/tools/new/", {**FORM, "seen": "0"})
    assert answer.headers["Location"] == "/tools/send_sms/"
    client.post("/tools/send_sms/", {**FORM, "timeout_s": "12"})
    assert "9 → 12 s" in client.get("/tools/send_sms/revisions/2/").content.decode()
    assert "send_sms" in client.get("/tools/", {"q": "text sms"}).content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Give it a name."),
        ({"headers": '{"X-Api-Key": "abc"}'}, "looks like a key"),
        ({"headers": "{,}"}, "Line 1, column 2"),
        ({"parameters": "[]"}, "must be a JSON object"),
        ({"timeout_s": "0"}, "more than 0"),
        ({"seen": "7"}, "saved revision 1 since you opened this"),
    ],
)
def test_a_wrong_tool_form_says_why_and_keeps_what_was_typed(
    client: Client, fields: dict[str, str], sentence: str
) -> None:
    entry = entry_of(TOOL, SMS)
    client.force_login(make_user())
    answer = client.post("/tools/send_sms/", {**FORM, "speech_while_running": "One moment", **fields})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert "One moment" in page
    assert entry.revisions.count() == 1


def test_documents_are_added_kept_and_removed(client: Client) -> None:
    client.force_login(make_user())
    form = {
        "seen": "0", "name": "FAQ", "top_k": "5", "min_score": "0", "max_characters": "4000",
        "documents-TOTAL_FORMS": "1", "documents-INITIAL_FORMS": "0",
        "documents-0-title": "Parking", "documents-0-text": "Behind the house.\r\n ",
    }  # fmt: skip
    more = client.post("/knowledge/new/", {**form, "add_document": "1"})
    assert "documents-1-title" in more.content.decode()
    assert not LibraryEntry.objects.exists()
    client.post("/knowledge/new/", form)
    entry = LibraryEntry.objects.get()
    assert content_of(entry.revisions.get())["documents"] == [{"title": "Parking", "text": "Behind the house.\n "}]
    client.post("/knowledge/faq/", {**form, "seen": "1", "documents-INITIAL_FORMS": "1", "documents-0-DELETE": "on"})
    assert content_of(entry.revisions.latest("number"))["documents"] == []


def test_picking_and_updating_through_the_pages(client: Client) -> None:
    entry, agent = entry_of(TOOL, SMS), make_agent()
    client.force_login(make_user())
    address = reverse("agentversions:tool_pick_dialog", args=[agent.slug])
    assert client.post(address, {"base": agent.draft_id}).status_code == 422
    answer = client.post(address, {"base": agent.draft_id, "pick": "send_sms"}, headers={"HX-Request": "true"})
    assert "draft-changed" in answer.headers["HX-Trigger"]
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    updates = reverse("agentversions:library_updates", args=[agent.slug])
    assert "Update available" in client.get(updates, headers={"HX-Request": "true"}).content.decode()
    agent.refresh_from_db()
    take = reverse("agentversions:library_update_dialog", args=[agent.slug]) + "?path=tools%5Bsend_sms%5D"
    assert "20 → 5 s" in client.get(take).content.decode()
    client.post(take, {"base": agent.draft_id})
    agent.refresh_from_db()
    assert agent.draft.load().tools[-1].timeout_s == 5


@pytest.mark.parametrize("address", ["/tools/new/", "/knowledge/new/"])
def test_readers_may_not_make_entries(client: Client, address: str) -> None:
    client.force_login(make_user("viewer"))
    assert client.get(address).status_code == 403


def test_readers_see_entries_but_do_not_save_them(client: Client) -> None:
    entry_of(TOOL, SMS)
    client.force_login(make_user("viewer"))
    assert client.get("/tools/send_sms/").status_code == 200
    assert client.post("/tools/send_sms/", FORM).status_code == 403
    assert client.post("/tools/send_sms/archive/").status_code == 403


@pytest.mark.parametrize("address", ["/tools/none/", "/knowledge/none/", "/tools/send_sms/revisions/9/"])
def test_what_does_not_exist_is_not_found(client: Client, address: str) -> None:
    entry_of(TOOL, SMS)
    client.force_login(make_user())
    assert client.get(address).status_code == 404
    assert client.put("/tools/").status_code == 405
