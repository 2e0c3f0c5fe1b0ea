"""The API of agents, drafts and versions, call by call: what it answers, refuses, and says about it."""

import hashlib
from typing import Any

import pytest

from agentversions.core.reading import write_document
from agentversions.models import Agent, Configuration
from tests.agentversions.api_client import ApiClient
from tests.factories import make_agent, make_configuration, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient("editor")


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic")


def test_an_agent_is_created_with_its_configuration(api: ApiClient) -> None:
    document = write_document(make_configuration(name="Bakery"))
    answer = api.post("/agents", {"configuration": document, "slug": "bakery", "folder": "Food"})
    assert answer.status_code == 201
    assert answer["Location"] == "/api/v1/agents/bakery"
    assert answer.json()["draft"]["digest"] == Agent.objects.get(slug="bakery").draft_id
    assert api.get("/agents/bakery").json()["folder"] == "Food"


def test_agents_are_listed_page_by_page_without_a_gap(api: ApiClient) -> None:
    for number in range(5):
        make_agent(slug=f"agent-{number}")
    first = api.get("/agents?limit=3").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()
    assert [row["slug"] for row in first["items"] + second["items"]] == [f"agent-{number}" for number in range(5)]
    assert second["next"] is None


def test_a_draft_is_read_with_its_digest_as_etag(api: ApiClient, agent: Agent) -> None:
    answer = api.get("/agents/clinic/draft")
    assert answer["ETag"] == f'"{agent.draft_id}"'
    assert answer.json()["configuration"] == write_document(agent.draft.load())
    assert api.get("/agents/clinic/draft", If_None_Match=answer["ETag"]).status_code == 304


def test_a_draft_is_replaced_only_where_the_caller_saw_it(api: ApiClient, agent: Agent) -> None:
    body = {"configuration": write_document(make_configuration(welcome_message="Bonjour"))}
    assert api.call("PUT", "/agents/clinic/draft", body).status_code == 428
    saved = api.call("PUT", "/agents/clinic/draft", body, If_Match=f'"{agent.draft_id}"')
    assert saved.status_code == 200
    assert saved["ETag"] == f'"{saved.json()["digest"]}"'
    late = api.call("PUT", "/agents/clinic/draft", body, If_Match=f'"{agent.draft_id}"')
    assert late.status_code == 412
    assert late.json()["digest"] == saved.json()["digest"]
    assert api.call("PUT", "/agents/clinic/draft", body, If_Match="*").status_code == 200


def test_edits_change_only_what_they_name(api: ApiClient, agent: Agent) -> None:
    edits = [
        {"op": "set", "path": "model.temperature", "value": 0.2},
        {"op": "set", "path": "tools[transfer_to_human].timeout_s", "value": 5},
    ]
    saved = api.call("PATCH", "/agents/clinic/draft", {"edits": edits}, If_Match=agent.draft_id).json()
    expected = write_document(agent.draft.load())
    expected["model"]["temperature"], expected["tools"][0]["timeout_s"] = 0.2, 5.0
    assert saved["configuration"] == expected


def test_a_merge_patch_changes_only_what_it_holds(api: ApiClient, agent: Agent) -> None:
    patch = {"configuration": {"model": {"temperature": 0.1}, "welcome_message": None}}
    saved = api.call("PATCH", "/agents/clinic/draft", patch, If_Match=agent.draft_id).json()["configuration"]
    assert (saved["model"]["temperature"], saved["model"]["name"], saved["welcome_message"]) == (0.1, "gpt-4o", "")


def test_a_stale_patch_is_refused_but_with_a_base_it_merges(api: ApiClient, agent: Agent) -> None:
    first = {"edits": [{"op": "set", "path": "language", "value": "fr"}]}
    assert api.call("PATCH", "/agents/clinic/draft", first, If_Match=agent.draft_id).status_code == 200
    other = {"edits": [{"op": "set", "path": "welcome_message", "value": "Salut"}]}
    assert api.call("PATCH", "/agents/clinic/draft", other, If_Match=agent.draft_id).status_code == 412
    merged = api.call("PATCH", "/agents/clinic/draft", {**other, "base": agent.draft_id})
    assert merged.status_code == 200
    assert merged.json()["merged_others"] is True
    assert (merged.json()["configuration"]["language"]) == "fr"
    same = {"edits": [{"op": "set", "path": "language", "value": "de"}], "base": agent.draft_id}
    conflict = api.call("PATCH", "/agents/clinic/draft", same)
    assert conflict.status_code == 409
    assert conflict.json()["conflicts"] == [{"path": "language", "base": "en", "mine": "de", "theirs": "fr"}]


def test_publishing_gives_the_next_number_and_leaves_the_draft(api: ApiClient, agent: Agent) -> None:
    answer = api.post("/agents/clinic/versions", {"name": "First"}, If_Match=agent.draft_id)
    assert (answer.status_code, answer["Location"]) == (201, "/api/v1/agents/clinic/versions/1")
    assert answer.json()["digest"] == agent.draft_id
    again = api.post("/agents/clinic/versions", {"name": "Again"})
    assert (again.status_code, again.json()["version"]) == (409, 1)
    meant = api.post("/agents/clinic/versions", {"name": "Again", "publish_identical": True})
    assert meant.json()["number"] == 2
    seen = {"name": "Third", "publish_identical": True, "latest_seen": 1}
    assert api.post("/agents/clinic/versions", seen).json()["type"].endswith("#published-meanwhile")


def test_what_blocks_publishing_is_named_by_field(api: ApiClient) -> None:
    make_agent(slug="empty", system_prompt="")
    answer = api.post("/agents/empty/versions", {"name": "First"})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["system_prompt"]


def test_versions_are_listed_newest_first_page_by_page(api: ApiClient, agent: Agent) -> None:
    for number in range(1, 6):
        make_version(agent, name=f"Change {number}", welcome_message=f"Hello {number}")
    first = api.get("/agents/clinic/versions?limit=3").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()
    assert [row["number"] for row in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None


def test_restoring_gives_back_the_exact_digest(api: ApiClient, agent: Agent) -> None:
    first = make_version(agent)
    second = make_version(agent, welcome_message="Another")
    answer = api.post("/agents/clinic/versions/1/restore", If_Match=second.configuration_id)
    assert answer.status_code == 200
    assert answer.json()["digest"] == first.configuration_id == Agent.objects.get(pk=agent.pk).draft_id
    assert answer.json()["replaced"] == second.configuration_id
    kept = api.post("/agents/clinic/versions/2/restore", {"publish_first_as": "Kept"})
    assert kept.json()["published"]["number"] == 3


def test_a_comparison_says_what_changed(api: ApiClient, agent: Agent) -> None:
    make_version(agent)
    make_version(agent, voice={"provider": "elevenlabs", "voice": "Charlotte"}, tools=[])
    answer = api.get("/agents/clinic/compare/1...draft").json()
    assert [(change["path"], change["kind"]) for change in answer["changes"]] == [
        ("voice.voice", "changed"),
        ("tools[transfer_to_human]", "removed"),
    ]
    assert answer["changes"][0]["summary"] == "Rachel → Charlotte"
    assert (answer["base"]["version"], answer["head"]["version"]) == (1, None)
    assert api.get("/agents/clinic/compare/1...1").json()["is_identical"] is True
    assert api.get("/agents/clinic/compare/1...99").status_code == 404


def test_going_live_and_rolling_back_need_an_operator(api: ApiClient, agent: Agent) -> None:
    make_version(agent)
    make_version(agent, welcome_message="Another")
    assert api.get("/agents/clinic/live").status_code == 404
    assert api.post("/agents/clinic/live", {"version": 2}).status_code == 403
    operator = ApiClient("operator")
    assert operator.post("/agents/clinic/live", {"version": 2, "reason": "Tested"}).status_code == 201
    refused = operator.post("/agents/clinic/live", {"version": 1, "is_rollback": True})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "reason")
    operator.post("/agents/clinic/live", {"version": 1, "is_rollback": True, "reason": "Wrong greeting"})
    live = api.get("/agents/clinic/live").json()
    assert (live["version"], live["is_rollback"], live["reason"]) == (1, True, "Wrong greeting")


def test_a_configuration_is_given_as_its_exact_bytes_and_kept_for_ever(api: ApiClient, agent: Agent) -> None:
    answer = api.get(f"/configurations/{agent.draft_id}")
    assert hashlib.sha256(answer.content).hexdigest() == agent.draft_id
    assert answer.content.decode() == Configuration.objects.get(pk=agent.draft_id).body
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    again = api.get(f"/configurations/{agent.draft_id}", If_None_Match=answer["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    for unknown in ("0" * 64, "%00", agent.draft_id.upper(), "x"):
        assert api.get(f"/configurations/{unknown}").status_code == 404


def test_agents_are_duplicated_filed_archived_and_brought_back(api: ApiClient, agent: Agent) -> None:
    copy = api.post("/agents/clinic/duplicate", {"name": "Copy"})
    assert (copy.status_code, copy.json()["name"]) == (201, "Copy")
    assert api.call("PUT", "/agents/clinic/folder", {"folder": "Health/North"}).json()["folder"] == "Health/North"
    assert api.post("/agents/clinic/archive", {"reason": "Closed"}).json()["archived_at"] is not None
    refused = api.post("/agents/clinic/versions", {"name": "First"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/v1/docs#agent-archived")
    assert [row["slug"] for row in api.get("/agents?archived=true").json()["items"]] == ["clinic"]
    assert api.post("/agents/clinic/unarchive").json()["archived_at"] is None


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ('{"name": 1, "name": 2}', 400, "stands twice"),
        ('{"name": NaN}', 400, "NaN is not a JSON number"),
        ('{"name": "a\\u0000b"}', 400, "NUL"),
        ('{"name": "\\ud800"}', 400, "half a character"),
        ('{"name": 9007199254740993}', 400, "beyond 2^53"),
        ("[" * 70 + "]" * 70, 400, "64 levels"),
        ("{", 400, "Line 1"),
        (b"\xff\xfe", 400, "not UTF-8"),
        ('{"name": "' + "x" * 2_000_001 + '"}', 413, "2 MB"),
        ("", 422, "Send a JSON object"),
        ("[]", 422, ""),
        ('{"name": "A", "colour": "red"}', 422, "“colour” is not known here"),
        ('{"name": 7}', 422, "“name”"),
    ],
)
def test_a_bad_body_gets_a_sentence_and_changes_nothing(
    api: ApiClient, agent: Agent, body: Any, status: int, words: str
) -> None:
    answer = api.post("/agents/clinic/versions", body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) >= {"type", "title", "status", "detail"}
    assert words in problem["detail"]
    assert not agent.versions.exists()


def test_a_body_beyond_what_the_server_reads_is_too_large(api: ApiClient, agent: Agent) -> None:
    answer = api.post("/agents/clinic/versions", b"x" * (13 * 1024 * 1024))
    assert answer.status_code == 413


def test_a_wrong_configuration_names_every_field(api: ApiClient, agent: Agent) -> None:
    document = {**write_document(agent.draft.load()), "model": {"temperature": 9}, "kind": "magic"}
    answer = api.call("PUT", "/agents/clinic/draft", {"configuration": document}, If_Match="*")
    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == {"kind", "model.temperature"}


@pytest.mark.parametrize(
    "path",
    ["/agents/nobody", "/agents/nobody/draft", "/agents/clinic/versions/7", "/agents/clinic/compare/1...2", "/nothing"],
)
def test_what_does_not_exist_is_a_problem_document(api: ApiClient, agent: Agent, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_a_wrong_method_says_which_ones_there_are(api: ApiClient) -> None:
    answer = api.call("DELETE", "/agents")
    assert (answer.status_code, sorted(answer["Allow"].split(", "))) == (405, ["GET", "POST"])
    assert answer["Content-Type"] == "application/problem+json"


def test_nul_in_a_search_is_refused(api: ApiClient) -> None:
    assert api.get("/agents?search=%00").status_code == 422


def test_the_draft_history_says_which_token_saved(api: ApiClient, agent: Agent) -> None:
    edits = {"edits": [{"op": "set", "path": "language", "value": "fr"}]}
    api.call("PATCH", "/agents/clinic/draft", edits, If_Match="*")
    assert agent.history.first().history_change_reason == "Saved through the API by the token CI"
    assert agent.history.first().history_user == api.owner


def test_a_slug_in_use_is_refused(api: ApiClient, agent: Agent) -> None:
    body = {"configuration": write_document(make_configuration()), "slug": "clinic"}
    assert api.post("/agents", body).status_code == 409


def test_a_version_is_read_in_full(api: ApiClient, agent: Agent) -> None:
    version = make_version(agent)
    answer = api.get("/agents/clinic/versions/1").json()
    assert answer["configuration"] == write_document(version.configuration.load())
    assert api.call("HEAD", "/agents/clinic/versions/1").status_code == 200
