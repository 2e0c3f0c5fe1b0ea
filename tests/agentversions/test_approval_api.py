"""Approvals, release rules and overrides over the API."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentversions.services.deployments import live_version
from tests.agentversions.api_client import ApiClient
from tests.factories import make_version

from .releases import Release, ask, make_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def release() -> Release:
    return make_release(approvals=1)


def seen(release: Release, **fields: object) -> dict[str, object]:
    return {"digest": release.second.configuration_id, "live": 1, **fields}


def test_a_program_asks_another_approves_and_it_goes_live(release: Release) -> None:
    editor = ApiClient("editor", owner=release.editor)
    made = editor.post("/approvals", {"agent": "clinic", "version": 2, "goes_live": True})
    assert made.status_code == 201
    request = made.json()
    assert made["Location"] == f"/api/v1/approvals/{request['id']}"
    assert (request["state"], request["needed"], request["created_by"]) == ("open", 1, "emma")
    again = editor.post("/approvals", {"agent": "clinic", "version": 2})
    assert (again.status_code, again.json()["request"]) == (409, request["id"])
    said = editor.post(f"/approvals/{request['id']}/comment", {"text": "See", "path": "welcome_message", "line": 1})
    assert said.status_code == 201
    approver = ApiClient("approver", owner=release.approver)
    done = approver.post(f"/approvals/{request['id']}/approve", seen(release, note="Yes")).json()
    assert (done["state"], done["outcome"], done["ended_by"]) == ("approved", "V2 went live.", "anna")
    assert [(row["person"], row["live"], row["note"]) for row in done["decisions"]] == [("anna", 1, "Yes")]
    assert done["comments"][0]["line"] == 1
    assert live_version(release.agent) == release.second
    listed = editor.get("/approvals?state=approved&agent=clinic").json()
    assert [row["id"] for row in listed["items"]] == [request["id"]]
    assert editor.get(f"/approvals/{request['id']}").json() == done


def test_what_was_seen_is_checked_and_each_refusal_has_its_kind(release: Release) -> None:
    approver = ApiClient("approver", owner=release.approver)
    number = ask(release).pk
    moved = approver.post(f"/approvals/{number}/approve", seen(release, live=0))
    assert (moved.status_code, moved.json()["type"]) == (409, "/api/v1/docs#request-moved")
    silent = approver.post(f"/approvals/{number}/changes", seen(release))
    assert (silent.status_code, silent.json()["errors"][0]["path"]) == (422, "reason")
    assert approver.post(f"/approvals/{number}/changes", seen(release, note="No")).json()["state"] == "changes"
    over = approver.post(f"/approvals/{number}/approve", seen(release))
    assert over.json()["type"] == "/api/v1/docs#request-over"
    assert approver.get("/approvals/4711").status_code == 404


def test_what_a_version_lacks_is_read_listed_in_the_refusal_and_overridden(release: Release) -> None:
    operator = ApiClient("operator", owner=release.operator)
    refused = operator.post("/agents/clinic/live", {"version": 2})
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/v1/docs#not-ready")
    assert [one["kind"] for one in refused.json()["missing"]] == ["approval"]
    assert operator.post("/agents/clinic/live", {"version": 2, "override_reason": "Now"}).status_code == 403
    assert operator.get("/agents/clinic/versions/2/readiness").json()["is_ready"] is False
    approver = ApiClient("approver", owner=release.approver)
    passed = approver.post("/agents/clinic/versions/2/override", {"reason": "Outage"})
    assert (passed.status_code, passed.json()["is_ready"], passed.json()["override"]) == (201, True, "Outage")
    assert operator.post("/agents/clinic/live", {"version": 2}).status_code == 201
    past = operator.get("/agents/clinic/live/history").json()["items"]
    assert [row["override"] for row in past] == ["Outage", None]


def test_a_request_is_taken_back(release: Release) -> None:
    number = ask(release).pk
    assert ApiClient("operator", owner=release.operator).post(f"/approvals/{number}/withdraw", {}).status_code == 403
    gone = ApiClient("editor", owner=release.editor).post(f"/approvals/{number}/withdraw", {"reason": "Wrong"}).json()
    assert (gone["state"], gone["outcome"]) == ("withdrawn", "Wrong")


def test_rules_are_read_by_anybody_and_set_by_an_admin(release: Release) -> None:
    admin = ApiClient("admin", owner=release.admin)
    body = {"approvals": 2, "tolerance": 0.02, "suites": []}
    assert admin.call("PUT", "/agents/clinic/release-rules", body).json() == body
    assert ApiClient("viewer").get("/agents/clinic/release-rules").json() == body
    unknown = admin.call("PUT", "/agents/clinic/release-rules", {**body, "suites": ["nope"]})
    assert unknown.status_code == 422
    assert ApiClient("editor").call("PUT", "/agents/clinic/release-rules", body).status_code == 403


def test_a_long_list_takes_no_more_queries_than_a_short_one(release: Release) -> None:
    api = ApiClient("viewer")

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert api.get("/approvals").status_code == 200
        return len(seen)

    ask(release)
    queries()  # The first call of a token notes that it is used.
    one = queries()
    for number in range(3):
        ask(release, make_version(release.agent, release.editor, welcome_message=f"Hi {number}"))
    assert queries() == one
