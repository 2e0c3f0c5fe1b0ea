"""The dialogs that bring library entries into a draft and back: pick, update, keep."""

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.models import Agent, LibraryEntry
from agentversions.services.libraries import archive_entry, save_revision
from agentversions.services.library_picking import pick
from tests.agentversions.library_entries import SMS, TOOL, entry_of
from tests.factories import make_agent, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def editor(client: Client) -> Client:
    """The browser of somebody who may edit."""
    client.force_login(make_user())
    return client


def dialog(name: str, agent: Agent, query: str = "") -> str:
    return reverse(f"agentversions:{name}", args=[agent.slug]) + query


def test_picking_and_updating_through_the_pages(editor: Client) -> None:
    entry, agent = entry_of(TOOL, **SMS), make_agent()
    address = dialog("tool_pick_dialog", agent)
    assert editor.post(address, {"base": agent.draft_id}).status_code == 422
    answer = editor.post(address, {"base": agent.draft_id, "pick": "send_sms"}, headers=HTMX)
    assert "draft-changed" in answer.headers["HX-Trigger"]
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    updates = dialog("library_updates", agent)
    assert "Update available" in editor.get(updates, headers=HTMX).content.decode()
    assert "Update available" in editor.get(updates + "?tab=tools", headers=HTMX).content.decode()
    assert "Update available" not in editor.get(updates + "?tab=knowledge", headers=HTMX).content.decode()
    agent.refresh_from_db()
    take = dialog("library_update_dialog", agent, "?path=tools%5Bsend_sms%5D")
    assert "20 → 5 s" in editor.get(take).content.decode()
    answer = editor.post(take, {"base": agent.draft_id}, headers=HTMX)
    assert "draft-changed" in answer.headers["HX-Trigger"]
    agent.refresh_from_db()
    assert agent.draft.load().tools[-1].timeout_s == 5
    assert editor.get(take).status_code == 404


def test_a_search_in_the_pick_dialog_keeps_what_was_ticked(editor: Client) -> None:
    for name in ("send_sms", "send_fax", "book_table"):
        entry_of(TOOL, name=name, kind="client")
    agent = make_agent()
    headers = {**HTMX, "HX-Target": "pick-choices"}
    found = editor.get(dialog("tool_pick_dialog", agent), {"q": "fax", "pick": "book_table"}, headers=headers)
    page = found.content.decode()
    assert 'value="book_table" checked' in page
    assert "send_fax" in page
    assert "send_sms" not in page
    assert "<form" not in page


def test_a_clash_of_names_is_explained_before_anybody_picks(editor: Client) -> None:
    entry_of(TOOL, name="transfer_to_human", kind="client")
    entry, agent = entry_of(TOOL, **SMS), make_agent()
    agent = pick(agent=agent, base=agent.draft_id, entries=[entry], actor=agent.created_by).agent
    page = editor.get(dialog("tool_pick_dialog", agent)).content.decode()
    assert "In the draft already." in page
    assert "The draft has another “transfer_to_human”. Rename or remove that one first." in page
    assert page.count(" disabled") == 2
    answer = editor.post(dialog("tool_pick_dialog", agent), {"base": agent.draft_id, "pick": "transfer_to_human"})
    assert answer.status_code == 422


def test_a_pick_from_an_unknown_state_says_to_look_again(editor: Client) -> None:
    entry_of(TOOL, **SMS)
    agent = make_agent()
    answer = editor.post(dialog("tool_pick_dialog", agent), {"base": "0" * 64, "pick": "send_sms"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "look again, then repeat" in page
    assert f'name="base" value="{agent.draft_id}"' in page
    assert 'value="send_sms" checked' in page


def test_an_archived_entry_is_not_offered(editor: Client) -> None:
    archive_entry(entry=entry_of(TOOL, **SMS), actor=make_user())
    agent = make_agent()
    assert "The library is empty" in editor.get(dialog("tool_pick_dialog", agent)).content.decode()
    answer = editor.post(dialog("tool_pick_dialog", agent), {"base": agent.draft_id, "pick": "send_sms"})
    assert "Pick at least one." in answer.content.decode()


def test_a_tool_of_a_draft_is_kept_in_the_library_and_revised_from_there(editor: Client) -> None:
    agent = make_agent()
    keep = dialog("tool_keep_dialog", agent, "?tool=transfer_to_human")
    assert "Other agents can pick it then" in editor.get(keep).content.decode()
    answer = editor.post(keep, {"base": agent.draft_id, "description": "For all clinics"}, headers=HTMX)
    assert "draft-changed" in answer.headers["HX-Trigger"]
    entry = LibraryEntry.objects.get()
    assert (entry.slug, entry.description) == ("transfer_to_human", "For all clinics")
    assert "Nothing differs from what the library has." in editor.get(keep).content.decode()
    assert editor.get(dialog("tool_keep_dialog", agent, "?tool=nothing")).status_code == 404


DIALOGS = ["tool_pick_dialog", "knowledge_pick_dialog", "tool_keep_dialog"]


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs_refuse_readers_unknown_agents_and_other_methods(client: Client, name: str) -> None:
    agent = make_agent()
    query = "?tool=transfer_to_human"
    client.force_login(make_user("viewer"))
    assert client.get(dialog(name, agent, query)).status_code == 403
    client.force_login(make_user())
    assert client.get(reverse(f"agentversions:{name}", args=["nobody"])).status_code == 404
    assert client.put(dialog(name, agent, query)).status_code == 405
    assert "<html" in client.get(dialog(name, agent, query)).content.decode()
    assert "<html" not in client.get(dialog(name, agent, query), headers=HTMX).content.decode()


def test_a_reader_sees_an_update_but_may_not_take_it(client: Client) -> None:
    entry, agent = entry_of(TOOL, **SMS), make_agent()
    agent = pick(agent=agent, base=agent.draft_id, entries=[entry], actor=agent.created_by).agent
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    client.force_login(make_user("viewer"))
    take = dialog("library_update_dialog", agent, "?path=tools%5Bsend_sms%5D")
    assert "Take revision 2" not in client.get(take).content.decode()
    assert client.post(take, {"base": agent.draft_id}).status_code == 403


def test_keeping_a_tool_that_lags_behind_is_not_offered(editor: Client) -> None:
    entry, agent = entry_of(TOOL, **SMS), make_agent()
    agent = pick(agent=agent, base=agent.draft_id, entries=[entry], actor=agent.created_by).agent
    save_revision(entry=entry, content={**SMS, "timeout_s": 5}, seen=1, actor=make_user())
    keep = dialog("tool_keep_dialog", agent, "?tool=send_sms")
    page = editor.get(keep).content.decode()
    assert "The library has revision 2, this draft took 1." in page
    assert '<button class="btn btn-primary"' not in page
    assert editor.post(keep, {"base": agent.draft_id}).status_code == 422
