"""Rollbacks that nobody had to approve, over the API: what waits for a look, and saying that one looked."""

import pytest

from agentversions.services.deployments import make_live, roll_back
from agentversions.services.release_rules import set_rules
from tests.agentversions.api_client import ApiClient

from .releases import Release, make_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def release() -> Release:
    """Twice V2 was live and was rolled back to V1, by the operator."""
    release = make_release()
    set_rules(agent=release.agent, approvals=1, tolerance=0, suites=(), actor=release.admin)
    for why in ("Complaints", "Again"):
        make_live(version=release.second, override_reason="Needed", actor=release.approver)
        roll_back(agent=release.agent, to=release.first, reason=why, actor=release.operator)
    return release


def test_what_waits_is_listed_page_by_page_and_looked_at_once(release: Release) -> None:
    approver = ApiClient("approver", owner=release.approver)
    page = approver.get("/rollback-reviews?limit=1").json()
    (first,) = page["items"]
    assert (first["agent"], first["version"], first["reason"]) == ("clinic", 1, "Complaints")
    assert (first["rolled_back_by"], first["reviewed_by"], first["reviewed_at"]) == ("otto", None, None)
    (second,) = approver.get(page["next"].partition("/api/v1")[2]).json()["items"]
    assert second["reason"] == "Again"
    done = approver.post(f"/rollback-reviews/{first['id']}/review", {"note": "Right so"})
    assert (done.status_code, done.json()["reviewed_by"], done.json()["note"]) == (200, "anna", "Right so")
    over = approver.post(f"/rollback-reviews/{first['id']}/review", {})
    assert (over.status_code, over.json()["type"]) == (409, "/api/v1/docs#request-over")
    left = approver.get("/rollback-reviews").json()
    assert ([row["id"] for row in left["items"]], left["next"]) == ([second["id"]], None)
    assert approver.post("/rollback-reviews/4711/review", {}).status_code == 404


def test_only_an_approver_reviews(release: Release) -> None:
    viewer = ApiClient("viewer")
    (waiting, _) = viewer.get("/rollback-reviews").json()["items"]
    assert viewer.post(f"/rollback-reviews/{waiting['id']}/review", {}).status_code == 403
