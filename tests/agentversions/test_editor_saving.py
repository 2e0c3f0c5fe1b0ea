"""Saving from the editor: what is stored, what is refused and where it says so, what two people's saves become."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.models import Agent, User
from agentversions.services.agents import archive_agent
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


def typed(path: str, value: Any, op: str = "set") -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}


def save(client: Client, agent: Agent, *edits: dict[str, Any], base: str = "", person: User | None = None) -> Any:
    user = person or User.objects.get(pk=client.session["_auth_user_id"])
    content = {"base": base or agent.draft_id, "person": user.pk, "edits": list(edits)}
    return send(client, agent, json.dumps(content))


def send(client: Client, agent: Agent, body: str | bytes) -> Any:
    return client.post(reverse("agentversions:draft_save", args=[agent.slug]), body, content_type="application/json")


def draft_of(agent: Agent) -> dict[str, Any]:
    return Agent.objects.get(pk=agent.pk).draft.load().model_dump(mode="json")


def first_error(response: Any) -> dict[str, Any]:
    assert response.status_code == 422, response.content
    return response.json()["errors"][0]


def test_a_typed_text_is_stored_and_the_answer_says_where_the_draft_stands(page: Client, agent: Agent) -> None:
    make_version(agent, name="First")
    answer = save(page, agent, typed("welcome_message", "Good evening")).json()
    assert draft_of(agent)["welcome_message"] == "Good evening"
    assert answer["digest"] == Agent.objects.get(pk=agent.pk).draft_id
    assert answer["changed_paths"] == ["welcome_message"]
    assert answer["changed_tabs"] == ["prompt"]
    assert answer["difference"] == "Draft has 1 change since V1"
    assert len(answer["saved_at"]) == len("12:04:31")


def test_an_unknown_agent_is_not_found(page: Client) -> None:
    address = reverse("agentversions:draft_save", args=["nobody"])
    assert page.post(address, "{}", content_type="application/json").status_code == 404


def test_a_viewer_cannot_save(client: Client, agent: Agent) -> None:
    client.force_login(make_user("viewer"))
    assert save(client, agent, typed("name", "Mine")).status_code == 403


def test_saving_is_only_by_post(page: Client, agent: Agent) -> None:
    assert page.get(reverse("agentversions:draft_save", args=[agent.slug])).status_code == 405


@pytest.mark.parametrize(
    ("path", "text", "stored"),
    [
        ("model.temperature", "0.35", 0.35),
        ("model.max_tokens", "", None),
        ("turn_taking.end_of_speech_wait_ms", " 900 ", 900),
        ("turn_taking.vad_enabled", "false", False),
        ("kind", "workflow", "workflow"),
    ],
)
def test_typed_settings_become_values(page: Client, agent: Agent, path: str, text: str, stored: Any) -> None:
    assert save(page, agent, typed(path, text)).status_code == 200
    value: Any = draft_of(agent)
    for step in path.split("."):
        value = value[step]
    assert value == stored


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("model.temperature", "hot", "Temperature must be a number such as 12 or 0.5"),
        ("model.temperature", "9", "Temperature must be at most 2"),
        ("model.temperature", "", "Temperature is empty"),
        ("model.temperature", "NaN", "must be a number"),
        ("turn_taking.end_of_speech_wait_ms", "1e999", "End-of-speech wait"),
        ("name", "x" * 300, "Name is longer than 200 characters"),
        ("kind", "robot", "Kind must be one of"),
        ("system_prompt", "half \ud800 a character", "half a character"),
        ("system_prompt", "a NUL \x00", "NUL"),
        ("tools[transfer_to_human].headers", '{"X-Api-Key": "sk-abcdefghijklmnopqrstuvwx"}', "looks like a key"),
        ("tools[transfer_to_human].headers", '{"A": "1", "A": "2"}', "stands twice"),
        ("tools[transfer_to_human].parameters", '{"a": NaN}', "NaN"),
        ("tools[transfer_to_human].parameters", "[]", "must be a JSON object"),
        ("system_prompt", "x" * 2_100_000, "the limit is 2 MB"),
        ("nothing.here", "x", "does not name a field"),
        ("tools[gone].timeout_s", "3", "what it belongs to is not there"),
    ],
)
def test_bad_input_is_refused_with_a_sentence_and_changes_nothing(
    page: Client, agent: Agent, path: str, text: str, sentence: str
) -> None:
    before = draft_of(agent)
    assert sentence in first_error(save(page, agent, typed(path, text)))["message"]
    assert draft_of(agent) == before


def test_the_refusal_names_the_field_it_is_about(page: Client, agent: Agent) -> None:
    error = first_error(save(page, agent, typed("name", "Fine"), typed("system_prompt", "half \udc00")))
    assert error["path"] == "system_prompt"


def test_an_error_in_json_names_its_line(page: Client, agent: Agent) -> None:
    error = first_error(save(page, agent, typed("workflow", '{\n  "nodes": [\n    {"id": "a",}\n  ]\n}')))
    assert (error["path"], error["line"]) == ("workflow", 3)


def test_a_wrong_value_in_the_workflow_names_its_line(page: Client, agent: Agent) -> None:
    text = '{\n  "nodes": [\n    {"id": "a"},\n    {"id": "b", "label": 7}\n  ],\n  "edges": []\n}'
    error = first_error(save(page, agent, typed("workflow", text)))
    assert (error["path"], error["line"]) == ("workflow", 4)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"base": 1}', b"\xff", b'{"edits": [{"op": "set"}]}'])
def test_a_broken_request_is_refused_with_a_sentence(page: Client, agent: Agent, body: bytes) -> None:
    assert first_error(send(page, agent, body))["message"]


def test_a_save_by_somebody_who_signed_in_meanwhile_is_refused(page: Client, agent: Agent) -> None:
    other = make_user("editor", username="other")
    response = save(page, agent, typed("name", "Mine"), person=other)
    assert response.status_code == 403
    assert "signed in as" in response.json()["errors"][0]["message"]


def test_an_archived_agent_refuses_and_says_so(page: Client, agent: Agent, editor: User) -> None:
    archive_agent(agent=agent, actor=editor)
    response = save(page, agent, typed("name", "Mine"))
    assert response.status_code == 423
    assert "archived" in response.json()["errors"][0]["message"]


def test_different_fields_of_two_people_merge(page: Client, agent: Agent, editor: User) -> None:
    base = agent.draft_id
    anna, client = make_user("editor", username="anna"), Client()
    client.force_login(anna)
    save(client, agent, typed("welcome_message", "Hello from Anna"))
    answer = save(page, agent, typed("model.temperature", "0.1"), base=base).json()
    assert answer["values"]["welcome_message"] == "Hello from Anna"
    assert answer["merged_from"] == "anna"
    assert draft_of(agent)["welcome_message"] == "Hello from Anna"
    assert draft_of(agent)["model"]["temperature"] == 0.1


def test_the_same_field_of_two_people_asks_and_overwrites_nothing(page: Client, agent: Agent) -> None:
    base = agent.draft_id
    client = Client()
    client.force_login(make_user("editor", username="anna"))
    save(client, agent, typed("welcome_message", "Theirs"))
    response = save(page, agent, typed("welcome_message", "Mine"), base=base)
    answer = response.json()
    assert response.status_code == 409
    assert draft_of(agent)["welcome_message"] == "Theirs"
    assert answer["conflicts"] == [
        {
            "path": "welcome_message",
            "mine": {"op": "set", "value": "Mine"},
            "theirs": {"op": "set", "value": "Theirs"},
        }
    ]
    assert "anna changed the same field" in answer["html"]
    chosen = save(page, agent, typed("welcome_message", "Mine"), base=answer["digest"])
    assert chosen.status_code == 200
    assert draft_of(agent)["welcome_message"] == "Mine"


def test_edits_typed_on_a_state_that_is_gone_are_shown_beside_the_draft(page: Client, agent: Agent) -> None:
    response = save(page, agent, typed("welcome_message", "Mine"), typed("language", "en"), base="0" * 64)
    assert response.status_code == 409
    assert [conflict["path"] for conflict in response.json()["conflicts"]] == ["welcome_message"]


def test_an_item_is_added_renamed_moved_and_removed(page: Client, agent: Agent) -> None:
    save(page, agent, typed("tools", "book", "add"))
    agent.refresh_from_db()
    save(page, agent, typed("tools[book].name", "book_slot"), typed("tools[book_slot].timeout_s", "5"))
    agent.refresh_from_db()
    save(page, agent, typed("tools", ["book_slot", "transfer_to_human"], "order"))
    tools = draft_of(agent)["tools"]
    assert [(tool["name"], tool["timeout_s"]) for tool in tools] == [("book_slot", 5), ("transfer_to_human", 20)]
    agent.refresh_from_db()
    save(page, agent, typed("tools[book_slot]", None, "remove"))
    assert [tool["name"] for tool in draft_of(agent)["tools"]] == ["transfer_to_human"]


def test_adding_an_item_never_replaces_one(page: Client, agent: Agent) -> None:
    before = draft_of(agent)
    assert "already" in first_error(save(page, agent, typed("tools", "transfer_to_human", "add")))["message"]
    assert "name first" in first_error(save(page, agent, typed("tools", " ", "add")))["message"]
    assert draft_of(agent) == before


@pytest.mark.parametrize(
    ("path", "value", "op"),
    [
        ("voice.voice", "Charlotte", "set"),
        ("tools[transfer_to_human]", None, "remove"),
        ("tools[new]", {"name": "new"}, "set"),
        ("workflow", '{"nodes": [{"id": "a"}], "edges": []}', "set"),
    ],
)
def test_one_click_takes_the_old_value_back(page: Client, agent: Agent, path: str, value: Any, op: str) -> None:
    version = make_version(agent, name="First")
    save(page, agent, typed(path, value, op))
    agent.refresh_from_db()
    assert agent.draft_id != version.configuration_id
    save(page, agent, typed(path, None, "take_back"))
    assert Agent.objects.get(pk=agent.pk).draft_id == version.configuration_id


def test_windows_line_ends_of_an_imported_text_survive_an_edit(page: Client, editor: User) -> None:
    agent = make_agent(editor, system_prompt="One\r\nTwo\r\n")
    save(page, agent, typed("system_prompt", "One\nTwo\nThree\n"))
    assert draft_of(agent)["system_prompt"] == "One\r\nTwo\r\nThree\r\n"


def test_saving_needs_a_fixed_number_of_queries(
    page: Client, agent: Agent, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(4):
        make_version(agent, name=f"Version {number}")
    save(page, agent, typed("name", "Warm"))
    agent.refresh_from_db()
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert save(page, agent, typed("welcome_message", "Hello")).status_code == 200
