"""The editor as a plain form: every button works without scripts, and a refused form comes back as it was sent."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.models import Agent, User
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> User:
    return make_user("editor")


@pytest.fixture
def agent(editor: User) -> Agent:
    return make_agent(editor, slug="clinic")


@pytest.fixture
def page(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def submit(client: Client, agent: Agent, tab: str, **fields: str) -> Any:
    data = {"base": agent.draft_id, "tab": tab, **{name.replace("__", ":"): value for name, value in fields.items()}}
    return client.post(reverse("agentversions:draft_save", args=[agent.slug]), data)


def draft_of(agent: Agent) -> Any:
    agent.refresh_from_db()
    return agent.draft.load()


def test_a_form_saves_what_differs_and_leads_back(page: Client, agent: Agent) -> None:
    fields = {"field:welcome_message": "Good evening", "field:system_prompt": agent.draft.load().system_prompt}
    response = submit(page, agent, "prompt", **fields)
    assert response.url == "/agents/clinic/?tab=prompt"
    assert draft_of(agent).welcome_message == "Good evening"
    assert "The draft is saved" in page.get(response.url).content.decode()


def test_the_line_ends_that_a_browser_sends_are_no_change(page: Client, agent: Agent) -> None:
    before = agent.draft_id
    prompt = agent.draft.load().system_prompt.replace("\n", "\r\n")
    submit(page, agent, "prompt", **{"field:system_prompt": prompt})
    agent.refresh_from_db()
    assert agent.draft_id == before


def test_an_unticked_switch_is_off(page: Client, agent: Agent) -> None:
    submit(page, agent, "turn_taking", **{"field:turn_taking.vad_enabled": "true"})
    assert draft_of(agent).turn_taking.vad_enabled is True
    assert draft_of(agent).turn_taking.interruptions_enabled is False


def test_a_refused_form_comes_back_as_it_was_sent(page: Client, agent: Agent) -> None:
    response = submit(page, agent, "model", **{"field:model.temperature": "hot", "field:model.name": "gpt-5"})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="hot"' in html
    assert 'value="gpt-5"' in html
    assert "Temperature must be a number" in html


def test_the_same_field_saved_by_somebody_else_is_shown_and_kept(page: Client, agent: Agent) -> None:
    base = agent.draft_id
    other = Client()
    other.force_login(make_user("editor", username="anna"))
    submit(other, agent, "prompt", **{"field:welcome_message": "Theirs"})
    response = submit(page, agent, "prompt", **{"field:welcome_message": "Mine"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "Somebody else changed this meanwhile to: Theirs" in html
    assert ">\nMine</textarea>" in html
    assert draft_of(agent).welcome_message == "Theirs"
    assert f'name="base" value="{agent.draft_id}"' in html
    assert agent.draft_id != base


def test_the_buttons_of_an_item_work(page: Client, agent: Agent) -> None:
    submit(page, agent, "tools", **{"new:tools": "book", "action": "add tools"})
    assert [tool.name for tool in draft_of(agent).tools] == ["transfer_to_human", "book"]
    submit(page, agent, "tools", action="up tools[book]")
    assert [tool.name for tool in draft_of(agent).tools] == ["book", "transfer_to_human"]
    submit(page, agent, "tools", **{"rename:tools[book]": "book_slot", "action": "rename tools[book]"})
    assert [tool.name for tool in draft_of(agent).tools] == ["book_slot", "transfer_to_human"]
    submit(page, agent, "tools", action="remove tools[book_slot]")
    assert [tool.name for tool in draft_of(agent).tools] == ["transfer_to_human"]


def test_two_tools_never_get_one_name(page: Client, agent: Agent) -> None:
    submit(page, agent, "tools", **{"new:tools": "book", "action": "add tools"})
    agent.refresh_from_db()
    fields = {"rename:tools[book]": "transfer_to_human", "action": "rename tools[book]"}
    response = submit(page, agent, "tools", **fields)
    assert response.status_code == 422
    assert "Two entries of “Tool” are called “transfer_to_human”" in response.content.decode()


def test_the_difference_of_a_field_opens_and_takes_the_old_value_back(page: Client, agent: Agent) -> None:
    version = make_version(agent, name="First")
    submit(page, agent, "prompt", **{"field:system_prompt": "Line one\nLine two"})
    address = reverse("agentversions:field_change_dialog", args=[agent.slug])
    html = page.get(address, {"path": "system_prompt", "tab": "prompt"}).content.decode()
    assert "<html" in html
    assert "Line two" in html
    agent.refresh_from_db()
    submit(page, agent, "prompt", only_action="yes", action="take_back system_prompt")
    assert Agent.objects.get(pk=agent.pk).draft_id == version.configuration_id


def test_a_field_without_a_difference_has_no_dialog(page: Client, agent: Agent) -> None:
    address = reverse("agentversions:field_change_dialog", args=[agent.slug])
    assert page.get(address, {"path": "system_prompt"}).status_code == 404
    assert page.get(address, {"path": "]["}).status_code == 404
    assert page.post(address).status_code == 405


def test_an_unknown_button_is_refused(page: Client, agent: Agent) -> None:
    assert submit(page, agent, "tools", action="explode tools").status_code == 422
