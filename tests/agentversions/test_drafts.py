"""Saving a draft: fields merge, nothing newer is overwritten, and every state keeps its exact bytes."""

import threading
from typing import Any

import pytest
from django.db import connection

from agentversions.core.edits import Edit
from agentversions.core.reading import InvalidConfiguration
from agentversions.models import Agent, AuditEntry, Configuration
from agentversions.services.agents import archive_agent
from agentversions.services.drafts import edit_draft, replace_draft
from agentversions.services.errors import AgentArchived, DraftMoved, EditsConflict
from tests.factories import make_agent, make_configuration, make_user

pytestmark = pytest.mark.django_db


def edit(path: str, value: Any = None, op: Any = "set") -> tuple[Edit, ...]:
    return (Edit(op, path, value),)


def test_an_edit_moves_the_pointer_and_keeps_the_old_state() -> None:
    agent = make_agent()
    before = agent.draft_id
    saved = edit_draft(agent=agent, base=before, edits=edit("model.temperature", "0.2"), actor=agent.created_by)
    assert saved.content.model.temperature == 0.2
    assert saved.agent.draft_id != before
    assert Configuration.objects.filter(digest=before).exists()
    assert [row.draft_id for row in agent.history.order_by("history_id")] == [before, saved.agent.draft_id]


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    agent = make_agent()
    saved = edit_draft(agent=agent, base=agent.draft_id, edits=edit("name", agent.name), actor=agent.created_by)
    assert saved.agent.draft_id == agent.draft_id
    assert agent.history.count() == 1


def test_a_new_name_shows_in_lists_and_the_slug_stays() -> None:
    agent = make_agent(slug="clinic")
    edit_draft(agent=agent, base=agent.draft_id, edits=edit("name", "Praxis"), actor=agent.created_by)
    agent.refresh_from_db()
    assert (agent.name, agent.slug) == ("Praxis", "clinic")


def test_edits_of_different_fields_merge() -> None:
    agent, other = make_agent(), make_user()
    base = agent.draft_id
    edit_draft(agent=agent, base=base, edits=edit("voice.voice", "Charlotte"), actor=other)
    saved = edit_draft(agent=agent, base=base, edits=edit("model.temperature", 0.1), actor=agent.created_by)
    assert saved.merged_others
    assert (saved.content.voice.voice, saved.content.model.temperature) == ("Charlotte", 0.1)


def test_the_same_field_changed_twice_is_a_conflict_and_nothing_is_saved() -> None:
    agent, other = make_agent(), make_user()
    base = agent.draft_id
    theirs = edit_draft(agent=agent, base=base, edits=edit("welcome_message", "Theirs"), actor=other)
    with pytest.raises(EditsConflict) as refused:
        edit_draft(agent=agent, base=base, edits=edit("welcome_message", "Mine"), actor=agent.created_by)
    conflict = refused.value.conflicts[0]
    assert (conflict.path, conflict.mine, conflict.theirs) == ("welcome_message", "Mine", "Theirs")
    assert refused.value.digest == theirs.agent.draft_id
    agent.refresh_from_db()
    assert agent.draft_id == theirs.agent.draft_id


def test_a_base_that_never_was_a_state_of_this_draft_is_refused() -> None:
    agent, stranger = make_agent(), make_agent(name="Another")
    with pytest.raises(DraftMoved) as refused:
        edit_draft(agent=agent, base=stranger.draft_id, edits=edit("name", "X"), actor=agent.created_by)
    assert refused.value.digest == agent.draft_id


@pytest.mark.parametrize(
    ("path", "value"),
    [("model.temperature", 9), ("nonsense", 1), ("tools[none].timeout_s", 1), ("tools", "text"), ("name[x]", 1)],
)
def test_a_wrong_edit_is_refused_and_the_draft_stays(path: str, value: Any) -> None:
    agent = make_agent()
    with pytest.raises(InvalidConfiguration):
        edit_draft(agent=agent, base=agent.draft_id, edits=edit(path, value), actor=agent.created_by)
    agent.refresh_from_db()
    assert agent.history.count() == 1


def test_an_archived_agent_is_not_edited() -> None:
    agent = make_agent()
    archive_agent(agent=agent, actor=agent.created_by)
    with pytest.raises(AgentArchived, match="Bring it back"):
        edit_draft(agent=agent, base=agent.draft_id, edits=edit("name", "X"), actor=agent.created_by)


def test_replacing_with_a_stale_expectation_is_refused() -> None:
    agent = make_agent()
    stale = agent.draft_id
    edit_draft(agent=agent, base=stale, edits=edit("name", "New"), actor=agent.created_by)
    with pytest.raises(DraftMoved):
        replace_draft(agent=agent, content=make_configuration(), expected=stale, actor=agent.created_by)


def test_a_sitting_of_autosaves_is_one_audit_entry_and_another_person_is_another() -> None:
    agent, other = make_agent(), make_user()
    for number, actor in enumerate([agent.created_by, agent.created_by, other, other]):
        agent.refresh_from_db()
        edit_draft(agent=agent, base=agent.draft_id, edits=edit("welcome_message", f"Hello {number}"), actor=actor)
    entries = AuditEntry.objects.filter(action="draft edited", subject=agent.slug).order_by("id")
    assert [entry.actor for entry in entries] == [agent.created_by, other]


def test_history_says_who_and_why_and_is_stamped_by_the_database() -> None:
    agent, other = make_agent(), make_user()
    edit_draft(
        agent=agent, base=agent.draft_id, edits=edit("name", "New"), reason="Imported from crm.json", actor=other
    )
    newest = agent.history.first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() - %s < interval '1 minute'", [newest.history_date])
        assert cursor.fetchone() == (True,)
    assert (newest.history_user, newest.history_change_reason) == (other, "Imported from crm.json")


@pytest.mark.django_db(transaction=True)
def test_twenty_people_at_once_lose_no_edit() -> None:
    agent = make_agent(variables=[{"name": f"v{number}"} for number in range(20)])
    people = [make_user() for _ in range(20)]
    errors: list[Exception] = []

    def save(number: int) -> None:
        try:
            edits = edit(f"variables[v{number}].default", f"text {number}")
            edit_draft(agent=agent, base=agent.draft_id, edits=edits, actor=people[number])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    variables = Agent.objects.get(pk=agent.pk).draft.load().variables
    assert [variable.default for variable in variables] == [f"text {number}" for number in range(20)]
