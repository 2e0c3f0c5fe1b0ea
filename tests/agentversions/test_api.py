"""The API: the contract's operations, the same rules as the pages, and problem documents that say what to do."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from agentversions.models import User
from agentversions.services.tokens import make_token
from tests.factories import make_user

pytestmark = pytest.mark.django_db
CONFIGURATION = {"name": "Clinic", "system_prompt": "You help."}
AGENT = "/api/v1/agents/clinic"


class Caller:
    """Calls the API with a token."""

    def __init__(self, client: Client, *roles: str, scopes: tuple[str, ...] = ("read", "write")) -> None:
        admin = make_user("admin")
        made = make_token(name="test", roles=list(roles), scopes=list(scopes), owner=admin, actor=admin)
        self.client, self.headers, self.owner = client, {"Authorization": f"Bearer {made.secret}"}, admin

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(path, **content, headers={**self.headers, **headers})


@pytest.fixture
def call(client: Client) -> Caller:
    caller = Caller(client, "admin")
    answer = caller("post", "/api/v1/agents", {"slug": "clinic", "configuration": CONFIGURATION})
    assert answer.status_code == 201
    return caller


def publish(call: Caller, name: str = "First", **fields: Any) -> Any:
    return call("post", f"{AGENT}/versions", {"name": name, **fields})


def test_publish_list_read_restore_and_compare(call: Caller) -> None:
    first = publish(call).json()
    assert (first["number"], first["name"]) == (1, "First")
    draft = call("get", f"{AGENT}/draft")
    edit = {"edits": [{"op": "set", "path": "system_prompt", "value": "You help at night."}]}
    changed = call("patch", f"{AGENT}/draft", edit, **{"If-Match": draft.headers["ETag"]})
    assert changed.status_code == 200
    assert publish(call, "Second").json()["number"] == 2
    listed = call("get", f"{AGENT}/versions?limit=1").json()
    assert [item["number"] for item in listed["items"]] == [2]
    assert [item["number"] for item in call("get", listed["next"]).json()["items"]] == [1]
    assert call("get", f"{AGENT}/versions/1").json()["configuration"]["system_prompt"] == "You help."
    compared = call("get", f"{AGENT}/compare/1...draft").json()
    assert [change["path"] for change in compared["changes"]] == ["system_prompt"]
    restored = call("post", f"{AGENT}/versions/1/restore", {})
    assert restored.json()["digest"] == first["digest"]


def test_a_draft_that_somebody_else_moved_is_412(call: Caller) -> None:
    seen = call("get", f"{AGENT}/draft").headers["ETag"]
    newer = {"configuration": {**CONFIGURATION, "welcome_message": "Hi"}}
    assert call("put", f"{AGENT}/draft", newer, **{"If-Match": seen}).status_code == 200
    late = call("put", f"{AGENT}/draft", {"configuration": CONFIGURATION}, **{"If-Match": seen})
    assert late.status_code == 412
    assert late.headers["Content-Type"] == "application/problem+json"
    assert late.json()["detail"].endswith(".")


def test_a_configuration_is_its_bytes_for_a_year(call: Caller) -> None:
    digest = publish(call).json()["digest"]
    answer = call("get", f"/api/v1/configurations/{digest}")
    assert hashlib.sha256(answer.content).hexdigest() == digest
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    again = call("get", f"/api/v1/configurations/{digest}", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert call("get", f"/api/v1/configurations/{'0' * 64}").status_code == 404


def test_make_live_and_roll_back_with_a_reason(call: Caller) -> None:
    assert call("get", f"{AGENT}/live").status_code == 404
    publish(call)
    publish(call, "Second", publish_identical=True)
    for number in (1, 2):
        assert call("post", f"{AGENT}/live", {"version": number}).status_code == 201
    assert call("get", f"{AGENT}/live").json()["version"] == 2
    assert call("post", f"{AGENT}/live", {"version": 9}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ('{"name": "A", "name": "B"}', 400, "stands twice"),
        ('{"name": NaN}', 400, "NaN"),
        ('{"name": "a\\u0000"}', 400, "NUL"),
        ('{"name": "\\ud800"}', 400, "half a character"),
        ('{"name": "A", "extensions": {"n": 9007199254740993}}', 400, "2^53"),
        ("[" * 70 + "]" * 70, 400, "64 levels"),
        ('{"name": "A",}', 400, "Line 1"),
        ('{"name": "' + "x" * 300 + '"}', 422, "200 characters"),
        ('{"name": "A", "kind": "swarm"}', 422, "Kind must be one of"),
        ('{"name": "A", "colour": 1}', 422, "not a field"),
        ('{"name": "A", "system_prompt": "' + "x" * 2_000_001 + '"}', 413, "2 MB"),
    ],
)
def test_bad_input_is_a_problem_in_words_and_changes_nothing(call: Caller, body: str, status: int, words: str) -> None:
    before = call("get", f"{AGENT}/draft")
    answer = call("put", f"{AGENT}/draft", f'{{"configuration": {body}}}', **{"If-Match": before.headers["ETag"]})
    assert answer.status_code == status, answer.content[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert words in answer.content.decode()
    assert call("get", f"{AGENT}/draft").headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize("path", ["/api/v1/agents/none/draft", f"{AGENT}/versions/7", f"{AGENT}/compare/1...9"])
def test_what_does_not_exist_is_404_in_words(call: Caller, path: str) -> None:
    answer = call("get", path)
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(".")


def test_roles_and_scopes_decide(call: Caller, client: Client) -> None:
    reader = Caller(client, "viewer")
    assert reader("get", f"{AGENT}/draft").status_code == 200
    assert publish(reader).status_code == 403
    read_only = Caller(client, "admin", scopes=("read",))
    assert publish(read_only).status_code == 403
    editor = Caller(client, "editor")
    assert publish(editor).status_code == 201
    assert editor("post", f"{AGENT}/live", {"version": 1}).status_code == 403
    assert client.get(f"{AGENT}/draft").status_code == 401


def test_the_api_describes_itself(call: Caller) -> None:
    schema = call("get", "/api/v1/openapi.json").json()
    assert "/api/v1/agents/{slug}/versions" in schema["paths"]
    assert call("get", "/api/v1/configuration.schema.json").json()["properties"]["system_prompt"]["title"]
    docs = call("get", "/api/v1/docs")
    assert b"Publish the draft" in docs.content


def test_a_signed_in_person_reads_the_docs_and_bytes_but_calls_nothing_else(call: Caller, client: Client) -> None:
    digest = publish(call).json()["digest"]
    client.force_login(User.objects.get(pk=make_user("viewer").pk))
    assert client.get("/api/v1/docs").status_code == 200
    assert client.get(f"/api/v1/configurations/{digest}").status_code == 200
    assert client.get("/api/v1/agents").status_code == 401


def test_every_operation_is_in_the_documentation(call: Caller) -> None:
    documented = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    schema = call("get", "/api/v1/openapi.json").json()
    operations = [f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods]
    assert [operation for operation in operations if f"`{operation}`" not in documented] == []
