"""The API of evaluations: what CI does with suites, runs and results."""

import json
from typing import Any

import pytest

from agentversions.services.evaluations.running import run_suite
from tests.agentversions.api_client import ApiClient
from tests.factories import make_agent, make_version
from tests.scripted_llm import ScriptedModel

pytestmark = pytest.mark.django_db
HOURS = {
    "name": "hours",
    "turns": [{"role": "user", "text": "Open?"}],
    "expect": [{"kind": "contains", "text": "yes"}],
    "tags": ["faq"],
}

OTHER = {**HOURS, "name": "b", "turns": [{"role": "user", "text": "Really open?"}]}


def test_a_suite_is_made_filled_run_and_compared(model: ScriptedModel) -> None:
    api, agent = ApiClient(), make_agent(slug="clinic")
    make_version(agent)
    made = api.post("/evaluations/suites", {"name": "Opening hours", "agent": "clinic"})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/evaluations/suites/opening-hours")
    filled = api.post("/evaluations/suites/opening-hours/cases", {"put": [HOURS, OTHER], "seen": 1})
    assert (filled.json()["revision"], filled.json()["cases"]) == (2, 2)
    assert api.get("/evaluations/suites/opening-hours/cases?limit=1").json()["items"] == [HOURS]
    runs = []
    for target, says in (("1", "yes"), ("draft", "no")):
        model.script({"answers": [{"text": says}]})
        body = {"suite": "opening-hours", "agent": "clinic", "target": target, "is_fresh": True}
        started = api.post("/evaluations/runs", body).json()
        assert (started["state"], started["score"], started["counts"]["pass"]) == ("waiting", None, 0)
        run_suite(started["id"])
        runs.append(started["id"])
    done = api.get(f"/evaluations/runs/{runs[0]}").json()
    assert (done["state"], done["score"], done["paid_calls"], done["version"]) == ("done", 1.0, 2, 1)
    table = api.get(f"/evaluations/runs/{runs[0]}/compare/{runs[1]}").json()
    assert [row["broken"] for row in table["rows"]] == [2, 2]
    assert [flip["name"] for flip in table["flips"]] == ["hours", "b"]
    (first, _) = api.get(f"/evaluations/runs/{runs[1]}/results?outcome=fail").json()["items"]
    assert first["checks"][0]["outcome"] == "fail"
    marked = api.post(f"/evaluations/runs/{runs[1]}/results/0/marks", {"is_pass": True, "note": "It was."})
    assert (marked.status_code, marked.json()["is_pass"]) == (201, True)
    assert [one["id"] for one in api.get("/evaluations/runs?suite=opening-hours").json()["items"]] == runs[::-1]
    assert len(api.get("/evaluations/suites?agent=clinic").json()["items"]) == 1


def test_what_cannot_be_is_a_problem_that_says_what_to_do(model: ScriptedModel) -> None:
    api = ApiClient()
    make_agent(slug="clinic")
    api.post("/evaluations/suites", {"name": "Hours"})
    bad = api.post("/evaluations/suites/hours/cases", {"put": [{**HOURS, "expect": []}]})
    assert (bad.status_code, "Case 1 “hours” expects nothing" in bad.json()["errors"][0]["detail"]) == (422, True)
    twice = api.post("/evaluations/suites/hours/cases", {"put": [HOURS, HOURS]})
    assert (twice.status_code, "Two cases are called “hours”" in twice.json()["detail"]) == (422, True)
    empty = api.post("/evaluations/runs", {"suite": "hours", "agent": "clinic"})
    assert (empty.status_code, empty.json()["errors"][0]["path"]) == (422, "suite")
    api.post("/evaluations/suites/hours/cases", {"put": [HOURS]})
    moved = api.post("/evaluations/suites/hours/cases", {"remove": ["hours"], "seen": 1})
    assert (moved.status_code, moved.json()["type"]) == (409, "/api/v1/docs#suite-moved")
    assert api.post("/evaluations/runs", {"suite": "hours", "agent": "clinic", "target": "9"}).status_code == 404
    started = api.post("/evaluations/runs", {"suite": "hours", "agent": "clinic"}).json()["id"]
    assert api.post(f"/evaluations/runs/{started}/cancel").json()["state"] == "cancelled"
    assert api.get("/evaluations/runs/999").status_code == 404
    assert ApiClient("viewer").post("/evaluations/suites", {"name": "x"}).status_code == 403


def test_a_file_is_imported_as_the_body_whole_or_not_at_all() -> None:
    api = ApiClient()
    api.post("/evaluations/suites", {"name": "Hours"})

    def send(content: str, kind: str, query: str = "") -> Any:
        return api.http.generic(
            "POST",
            f"/api/v1/evaluations/suites/hours/import{query}",
            content,
            content_type=kind,
            headers={"Authorization": f"Bearer {api.secret}"},
        )

    lines = f"{json.dumps(HOURS)}\n{json.dumps(OTHER)}\n"
    done = send(lines, "application/x-ndjson").json()
    assert (done["added"], done["suite"]["cases"], done["suite"]["revision"], done["problems"]) == (2, 2, 2, [])
    lonely = "name,question,contains\nc,Open?,yes\nlonely,Hello?,\n"
    refused = send(lonely, "text/csv; charset=utf-8")
    assert (refused.status_code, "Case 2 “lonely” expects nothing" in refused.json()["errors"][0]["detail"]) == (
        422,
        True,
    )
    kept = send(lonely, "text/csv", "?skips_bad=true&is_whole=true&seen=2").json()
    assert (kept["added"], kept["removed"], kept["suite"]["cases"], len(kept["problems"])) == (1, 2, 1, 1)
    assert "application/x-ndjson" in send(lines, "text/plain").json()["detail"]
    assert send(lines, "application/x-ndjson", "?seen=2").status_code == 409
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b" + ", *b" * 90_000 + "]\n"
    refused = send(bomb, "application/yaml")
    assert (refused.status_code, "more than 200,000 values" in refused.json()["detail"]) == (422, True)
