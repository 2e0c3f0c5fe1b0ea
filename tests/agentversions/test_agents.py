"""Agents are created with a free slug, filed, put away when nothing uses them, and brought back as they were."""

import pytest
from django.db import DatabaseError, transaction

from agentversions.models import Agent, AuditEntry
from agentversions.services import agents
from agentversions.services.errors import AgentInUse, SlugTaken
from tests.factories import make_agent, make_user

pytestmark = pytest.mark.django_db


def test_the_slug_comes_from_the_name_and_is_made_unique() -> None:
    slugs = [make_agent(name="Clinic Réception!").slug for _ in range(3)]
    assert slugs == ["clinic-reception", "clinic-reception-2", "clinic-reception-3"]


def test_a_name_without_latin_letters_still_gets_a_slug() -> None:
    assert make_agent(name="مساعد").slug == "agent"


def test_a_taken_slug_is_refused_with_a_sentence() -> None:
    make_agent(slug="clinic")
    with pytest.raises(SlugTaken, match="“clinic”"):
        make_agent(slug="clinic")


def test_the_slug_never_changes() -> None:
    agent = make_agent(slug="clinic")
    with pytest.raises(DatabaseError, match="slug never changes"), transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(slug="other")


def test_a_duplicate_is_a_copy_under_its_own_name() -> None:
    agent = make_agent(folder="Care")
    copy = agents.duplicate_agent(agent=agent, name="Clinic by night", actor=make_user())
    assert copy.folder == "Care"
    assert copy.draft.load() == agent.draft.load().model_copy(update={"name": "Clinic by night"})
    assert copy.history.first().history_change_reason == f"Duplicated from {agent.slug}"


def test_archiving_is_refused_while_something_routes_to_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = make_agent()
    monkeypatch.setattr(agents, "_use_finders", [lambda used: [f"+33 1 98 76 54 32 answers with {used.slug}"]])
    with pytest.raises(AgentInUse) as refused:
        agents.archive_agent(agent=agent, actor=agent.created_by)
    assert refused.value.uses == (f"+33 1 98 76 54 32 answers with {agent.slug}",)
    agent.refresh_from_db()
    assert not agent.is_archived


def test_an_archived_agent_comes_back_as_it_was() -> None:
    agent = make_agent(folder="Care")
    agents.archive_agent(agent=agent, reason="Clinic closed", actor=agent.created_by)
    assert not Agent.objects.active().filter(pk=agent.pk).exists()
    agents.unarchive_agent(agent=agent, actor=agent.created_by)
    again = Agent.objects.active().get(pk=agent.pk)
    assert (again.folder, again.draft_id) == ("Care", agent.draft_id)
    actions = AuditEntry.objects.filter(subject=agent.slug).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["agent created", "agent archived", "agent brought back"]


def test_filing_trims_slashes_and_keeps_history() -> None:
    agent = make_agent()
    moved = agents.move_to_folder(agent=agent, folder=" /Support/Billing/ ", actor=agent.created_by)
    assert moved.folder == "Support/Billing"
    assert agent.history.first().folder == "Support/Billing"


def test_an_agent_is_never_deleted_by_the_application() -> None:
    agent = make_agent()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Agent.objects.filter(pk=agent.pk)._raw_delete("default")
