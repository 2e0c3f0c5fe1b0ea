"""Who has an editor open, and how an open page learns that the draft moved."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.core.edits import Edit
from agentversions.models import Agent, EditorPresence, User
from agentversions.models.database import ClockTimestamp
from agentversions.services.drafts import edit_draft
from agentversions.services.presence import note_presence, others_present
from tests.factories import make_agent, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user("editor", username="anna")


@pytest.fixture
def agent(anna: User) -> Agent:
    return make_agent(anna, slug="clinic")


def ask(client: Client, agent: Agent, **shown: Any) -> Any:
    standing = {"digest": agent.draft_id, "latest": 0, "live": 0, **shown}
    return client.post(reverse("agentversions:draft_presence", args=[agent.slug]), standing)


def test_people_see_each_other_and_not_themselves(agent: Agent, anna: User) -> None:
    bert = make_user("viewer", username="bert")
    note_presence(agent=agent, actor=anna)
    assert note_presence(agent=agent, actor=bert) == (anna,)
    assert others_present(agent=agent, actor=anna) == (bert,)


def test_saying_it_again_keeps_one_row(agent: Agent, anna: User) -> None:
    for _ in range(3):
        note_presence(agent=agent, actor=anna)
    assert EditorPresence.objects.count() == 1


def test_who_fell_silent_is_gone(agent: Agent, anna: User) -> None:
    note_presence(agent=agent, actor=anna)
    EditorPresence.objects.update(seen_at=ClockTimestamp() - timedelta(seconds=31))
    assert others_present(agent=agent, actor=make_user()) == ()


def test_an_unmoved_draft_is_answered_with_people_only(client: Client, agent: Agent, anna: User) -> None:
    note_presence(agent=agent, actor=anna)
    client.force_login(make_user("viewer"))
    assert ask(client, agent).json() == {"people": [{"name": "anna", "initials": "AN"}]}


def test_a_moved_draft_is_answered_with_what_differs(client: Client, agent: Agent, anna: User) -> None:
    shown = agent.draft_id
    edits = (Edit("set", "welcome_message", "Good day"), Edit("set", "tools[new]", {"name": "new"}))
    edit_draft(agent=agent, base=shown, edits=edits, actor=anna)
    client.force_login(make_user("viewer"))
    state = ask(client, agent, digest=shown).json()["state"]
    assert state["digest"] != shown
    assert state["by"] == "anna"
    assert state["values"] == {"welcome_message": "Good day"}
    assert state["restructured"] == ["tools"]


def test_presence_follows_the_rules_of_every_page(client: Client, agent: Agent) -> None:
    person = make_user("viewer")
    client.force_login(person)
    assert client.post(reverse("agentversions:draft_presence", args=["nobody"])).status_code == 404
    assert client.get(reverse("agentversions:draft_presence", args=[agent.slug])).status_code == 405
    User.objects.filter(pk=person.pk).update(roles=[])
    assert ask(client, agent).status_code == 403
