"""The libraries: every save is a revision, picking copies, updates wait to be taken, nothing moves by itself."""

from typing import Any

import pytest

from agentversions.core.edits import Edit
from agentversions.core.library_items import content_of_knowledge
from agentversions.core.reading import InvalidConfiguration
from agentversions.models import Agent, AuditEntry, Configuration, LibraryEntry, User
from agentversions.services.drafts import edit_draft
from agentversions.services.errors import DraftMoved, LibraryMoved, NameClash, NoUpdate, SlugTaken
from agentversions.services.libraries import archive_entry, content_of, create_entry, save_revision
from agentversions.services.library_keeping import keep_tool
from agentversions.services.library_picking import pick, take_update, updates_for
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
TOOL, KNOWLEDGE = LibraryEntry.Kind.TOOL, LibraryEntry.Kind.KNOWLEDGE_BASE
SMS = {"name": "send_sms", "description": "Sends a text", "endpoint": "https://sms.example.com/"}
FAQ = {"name": "Clinic FAQ", "documents": [{"title": "Parking", "text": "Behind the house."}]}


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


def test_two_entries_of_one_tool_name_are_not_picked_together() -> None:
    first, second = entry_of(TOOL, SMS), entry_of(TOOL, {**SMS, "name": "send_text"})
    second = save_revision(entry=second, content=SMS, seen=1, actor=make_user())
    agent = make_agent()
    with pytest.raises(NameClash, match="Two of these are called “send_sms”"):
        pick(agent=agent, base=agent.draft_id, entries=[first, second], actor=agent.created_by)


def test_an_update_never_replaces_another_tool_of_the_drafts() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    save_revision(entry=entry, content={**SMS, "name": "transfer_to_human"}, seen=1, actor=make_user())
    with pytest.raises(NameClash, match="calls it “transfer_to_human” now"):
        take_update(agent=agent, base=agent.draft_id, path="tools[send_sms]", actor=agent.created_by)
    agent.refresh_from_db()
    assert [tool.name for tool in agent.draft.load().tools] == ["transfer_to_human", "send_sms"]


def test_every_copy_of_an_entry_in_a_draft_is_offered_the_update() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    renamed = Edit("set", "tools[send_sms].name", "sms_to_doctor")
    agent = edit_draft(agent=agent, base=agent.draft_id, edits=(renamed,), actor=agent.created_by).agent
    agent = picked(agent, entry)
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    assert [update.path for update in updates_for(agent.draft.load())] == ["tools[sms_to_doctor]", "tools[send_sms]"]


def test_an_update_of_documents_shows_them_since_the_linked_revision() -> None:
    entry = entry_of(KNOWLEDGE, FAQ)
    agent = picked(make_agent(), entry)
    longer = {**FAQ, "documents": [{"title": "Parking", "text": "Behind the big house."}]}
    save_revision(entry=entry, content=longer, seen=1, actor=make_user())
    (update,) = updates_for(agent.draft.load())
    assert [(change.label, change.summary) for change in update.changes] == [("Document “Parking”", "+1 word")]


def test_a_new_description_is_no_revision_but_is_in_the_audit_trail() -> None:
    entry = entry_of(TOOL, SMS)
    save_revision(entry=entry, content=SMS, seen=1, description="Texts", actor=make_user())
    last = AuditEntry.objects.filter(subject="send_sms").latest("id")
    assert (last.action, last.before, last.after) == (
        "library entry described",
        {"description": ""},
        {"description": "Texts"},
    )


def test_the_others_change_is_named_when_a_save_is_refused() -> None:
    entry, other = entry_of(KNOWLEDGE, FAQ), make_user(username="mira")
    save_revision(entry=entry, content={**FAQ, "documents": []}, seen=1, actor=other)
    with pytest.raises(LibraryMoved, match="mira saved revision 2 since you opened this: Document “Parking” removed"):
        save_revision(entry=entry, content=FAQ, seen=1, actor=make_user())


def test_a_kept_tool_is_linked_and_its_next_keeping_is_a_revision() -> None:
    agent, other = make_agent(), make_agent()
    agent = keep_tool(agent=agent, base=agent.draft_id, name="transfer_to_human", actor=agent.created_by).agent
    link = agent.draft.load().tools[0].library
    assert link is not None
    assert (link.entry, link.revision) == ("transfer_to_human", 1)
    edit = Edit("set", "tools[transfer_to_human].timeout_s", 7)
    agent = edit_draft(agent=agent, base=agent.draft_id, edits=(edit,), actor=agent.created_by).agent
    agent = keep_tool(agent=agent, base=agent.draft_id, name="transfer_to_human", actor=agent.created_by).agent
    entry = LibraryEntry.objects.get()
    assert entry.latest.number == 2
    assert updates_for(agent.draft.load()) == []
    with pytest.raises(SlugTaken):
        keep_tool(agent=other, base=other.draft_id, name="transfer_to_human", actor=other.created_by)


def test_a_tool_that_lags_behind_the_library_is_not_kept_over_it() -> None:
    entry = entry_of(TOOL, SMS)
    agent = picked(make_agent(), entry)
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    with pytest.raises(LibraryMoved, match="Take the newer one first"):
        keep_tool(agent=agent, base=agent.draft_id, name="send_sms", actor=agent.created_by)


def test_nothing_is_kept_when_the_draft_cannot_be_saved() -> None:
    agent = make_agent()
    with pytest.raises(DraftMoved):
        keep_tool(agent=agent, base="0" * 64, name="transfer_to_human", actor=agent.created_by)
    assert not LibraryEntry.objects.exists()
