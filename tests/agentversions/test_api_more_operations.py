"""The API of histories, libraries, import and export: the same services as the pages."""

import io
import zipfile

import pytest
from django.test import Client

from agentversions.models import Agent
from agentversions.services.deployments import make_live, roll_back
from tests.agentversions.api_client import ApiClient
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
TOOL = {"name": "sms", "kind": "client", "description": "Sends a text"}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient("editor")


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic")


def test_former_states_are_listed_and_taken_back(api: ApiClient, agent: Agent) -> None:
    first = agent.draft_id
    for language in ("fr", "de"):
        edits = {"edits": [{"op": "set", "path": "language", "value": language}], "reason": f"Speak {language}"}
        api.call("PATCH", "/agents/clinic/draft", edits, If_Match="*")
    page = api.get("/agents/clinic/draft/history?limit=2").json()
    assert [state["reason"] for state in page["items"]] == ["Speak de", "Speak fr"]
    older = api.get(page["next"].removeprefix("/api/v1")).json()
    assert [state["digest"] for state in older["items"]] == [first]
    back = api.post(f"/agents/clinic/draft/history/{first}/take-back")
    assert (back.status_code, back.json()["digest"]) == (200, first)
    assert Agent.objects.get(pk=agent.pk).draft_id == first
    assert api.post(f"/agents/clinic/draft/history/{'0' * 64}/take-back").status_code == 404
    late = api.post(f"/agents/clinic/draft/history/{first}/take-back", If_Match=back.json()["replaced"])
    assert late.status_code == 412


def test_what_was_live_is_listed_newest_first(api: ApiClient, agent: Agent) -> None:
    actor, first = make_user("admin"), make_version(agent)
    make_live(version=first, actor=actor)
    make_live(version=make_version(agent, welcome_message="Hi"), reason="Warmer", actor=actor)
    roll_back(agent=agent, to=first, reason="Too warm", actor=actor)
    page = api.get("/agents/clinic/live/history?limit=2").json()
    older = api.get(page["next"].removeprefix("/api/v1")).json()
    assert [row["version"] for row in page["items"] + older["items"]] == [1, 2, 1]
    assert page["items"][0]["is_rollback"] is True


def test_each_line_of_a_prompt_names_its_version(api: ApiClient, agent: Agent) -> None:
    make_version(agent, name="First", system_prompt="One\nTwo\n")
    make_version(agent, name="Second", system_prompt="One\nThree\n")
    lines = api.get("/agents/clinic/versions/2/blame").json()
    assert [(line["text"], line["version_name"]) for line in lines[:2]] == [("One", "First"), ("Three", "Second")]


@pytest.mark.parametrize("shape", ["json", "zip"])
def test_an_exported_agent_comes_back_with_the_same_digests(api: ApiClient, agent: Agent, shape: str) -> None:
    make_version(agent)
    version = make_version(agent, welcome_message="Hi")
    exported = api.get(f"/agents/clinic/export?shape={shape}")
    assert f'filename="clinic.{shape}"' in exported["Content-Disposition"]
    answer = api.post(f"/imports?name=clinic.{shape}", exported.content)
    assert (answer.status_code, answer.json()["versions"]) == (201, 2)
    assert answer.json()["digest"] == version.configuration_id
    copied = api.get(f"/agents/{answer.json()['agent']}/versions").json()["items"]
    assert [row["digest"] for row in copied] == [
        row["digest"] for row in api.get("/agents/clinic/versions").json()["items"]
    ]


def test_a_version_is_exported_as_a_portable_folder(api: ApiClient, agent: Agent) -> None:
    make_version(agent)
    answer = api.get("/agents/clinic/versions/1/export?shape=zip")
    assert "agent.yaml" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()


def test_an_import_says_what_it_kept_and_which_secrets_are_needed(api: ApiClient) -> None:
    document = '{"name": "Shop", "system_prompt": "Sell.", "colour": "red"}'
    answer = api.post("/imports?name=shop.json&folder=Shops", document)
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert Agent.objects.get(slug=answer.json()["agent"]).folder == "Shops"
    bad = api.post("/imports?name=bad.json", '{"a": 1, "a": 2}')
    assert bad.status_code == 422
    assert bad.json()["detail"]


@pytest.mark.parametrize(("library", "content"), [("tools", TOOL), ("knowledge", {"name": "Opening hours"})])
def test_library_entries_are_added_revised_archived_and_brought_back(
    api: ApiClient, library: str, content: dict[str, object]
) -> None:
    made = api.post(f"/{library}", {"content": content, "description": "For all"})
    assert made.status_code == 201
    path = made["Location"].removeprefix("/api/v1")
    assert api.get(path).json()["content"]["name"] == content["name"]
    revised = api.call("PUT", path, {"content": {**content, "name": "Renamed"}, "seen": 1})
    assert (revised.json()["revision"], revised.json()["name"]) == (2, "Renamed")
    late = api.call("PUT", path, {"content": content, "seen": 1})
    assert (late.status_code, late.json()["type"]) == (409, "/api/v1/docs#library-moved")
    assert api.post(f"{path}/archive").json()["archived_at"]
    assert api.get(f"/{library}").json()["items"] == []
    assert len(api.get(f"/{library}?archived=true").json()["items"]) == 1
    assert api.post(f"{path}/unarchive").json()["archived_at"] is None
    assert api.get(f"/{library}/nothing").status_code == 404


def test_a_library_lists_page_by_page(api: ApiClient) -> None:
    for number in range(5):
        api.post("/tools", {"content": {**TOOL, "name": f"tool_{number}"}})
    first = api.get("/tools?limit=3").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()
    assert [row["name"] for row in first["items"] + second["items"]] == [f"tool_{number}" for number in range(5)]
    assert second["next"] is None


def test_picking_copies_a_library_tool_into_the_draft(api: ApiClient, agent: Agent) -> None:
    api.post("/tools", {"content": TOOL})
    answer = api.post("/agents/clinic/draft/picks", {"tools": ["sms"]})
    assert answer.status_code == 200
    picked = answer.json()["configuration"]["tools"][-1]
    assert (picked["name"], picked["library"]) == ("sms", {"entry": "sms", "revision": 1})
    again = api.post("/agents/clinic/draft/picks", {"tools": ["sms"]})
    assert (again.status_code, again.json()["type"]) == (409, "/api/v1/docs#name-clash")


def test_a_browser_without_a_session_is_sent_from_the_docs_to_sign_in(client: Client) -> None:
    answer = client.get("/api/v1/docs")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/api/v1/docs")


def test_every_kind_of_problem_is_explained_where_its_type_leads(api: ApiClient) -> None:
    page = api.get("/docs").content.decode()
    kind = api.get("/agents/nobody").json()["type"].partition("#")[2]
    assert f'id="{kind}"' in page
