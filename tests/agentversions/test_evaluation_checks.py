"""Checks of a configuration that is no version yet, over the API: what is run, what is reported, what is refused."""

import json
from typing import Any

import pytest

from agentversions.core.reading import write_document
from agentversions.models import EvaluationRun
from agentversions.services.deployments import make_live
from agentversions.services.evaluations.running import run_suite
from agentversions.services.release_rules import set_rules
from tests.agentversions.api_client import ApiClient
from tests.agentversions.evaluations import case, suite_of
from tests.factories import make_agent, make_configuration, make_user, make_version
from tests.scripted_llm import ScriptedModel

pytestmark = pytest.mark.django_db
COMMIT = "4f2a" * 10


@pytest.fixture
def api() -> ApiClient:
    """With a live agent “clinic” whose gate requires a suite of two cases."""
    boss = make_user("admin")
    agent = make_agent(slug="clinic")
    make_live(version=make_version(agent), actor=boss)
    suite_of(case("hours", "Open?", must_pass=True), case("price", "Price?"), name="Front desk")
    set_rules(agent=agent, approvals=0, tolerance=0, suites=["front-desk"], actor=boss)
    return ApiClient()


def merged(**fields: Any) -> dict[str, Any]:
    return write_document(make_configuration(**fields))


def check(api: ApiClient, status: int = 201, **body: Any) -> Any:
    answer = api.post("/evaluations/checks", body)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_the_required_suites_are_run_on_it_and_on_the_live_version_and_reported(
    api: ApiClient, model: ScriptedModel
) -> None:
    started = check(api, folder="clinic", configuration=merged(system_prompt="Say no."), commit=COMMIT)
    assert [(run["version"], run["digest"] == started["digest"]) for run in started["runs"]] == [
        (None, True),
        (1, False),
    ]
    model.script({"match": "Say no.", "anywhere": True, "answers": [{"text": "no"}]}, {"answers": [{"text": "yes"}]})
    for run in started["runs"]:
        run_suite(run["id"])
    assert EvaluationRun.objects.get(pk=started["runs"][0]["id"]).title == "Commit 4f2a4f2a4f"
    report = api.get(f"/agents/clinic/evaluations/{started['digest']}").json()
    (suite,) = report["suites"]
    assert [(line["name"], line["kind"]) for line in suite["lines"]] == [("hours", "broken"), ("price", "broken")]
    assert (suite["score"], suite["live_score"], suite["passed"], suite["failed"]) == (0, 1, 0, 2)
    assert "“hours” must pass, did on the live version" in suite["finding"]
    again = check(api, folder="clinic", configuration=merged(system_prompt="Say no."))
    assert len(again["runs"]) == 1  # the live version's is there already


def test_limits_and_suites_are_taken_as_they_are_sent(api: ApiClient, model: ScriptedModel) -> None:
    sent = {
        "suites": ["front-desk"],
        "with_live": False,
        "max_cost": "2.50",
        "concurrency": 3,
        "environment": "staging",
    }
    (run,) = check(api, agent="clinic", target="draft", **sent)["runs"]
    kept = EvaluationRun.objects.get(pk=run["id"])
    assert (str(kept.max_cost), kept.concurrency, kept.environment) == ("2.500000", 3, "staging")


def test_a_folder_without_an_agent_is_left_to_the_merge(api: ApiClient, model: ScriptedModel) -> None:
    nothing = check(api, 200, folder="New school", configuration=merged())
    assert nothing == {"agent": None, "digest": None, "runs": []}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"agent": "clinic"}, 422, "either “configuration” or “target”"),
        ({"agent": "clinic", "folder": "clinic", "target": "draft"}, 422, "either “agent” or “folder”"),
        ({"agent": "nobody", "target": "draft"}, 404, "no agent “nobody”"),
        ({"agent": "clinic", "target": "9"}, 404, "no version"),
        ({"agent": "clinic", "target": "draft", "suites": ["x"]}, 404, "no evaluation suite “x”"),
        ({"agent": "clinic", "configuration": {"name": ""}}, 422, "name"),
    ],
)
def test_what_cannot_be_checked_is_said(
    api: ApiClient, model: ScriptedModel, body: dict[str, Any], status: int, words: str
) -> None:
    answer = api.post("/evaluations/checks", body)
    assert (answer.status_code, words in json.dumps(answer.json(), ensure_ascii=False)) == (status, True)


def test_a_viewer_reads_reports_and_starts_nothing(api: ApiClient, model: ScriptedModel) -> None:
    viewer = ApiClient("viewer")
    assert viewer.post("/evaluations/checks", {"agent": "clinic", "target": "draft"}).status_code == 403
    report = viewer.get(f"/agents/clinic/evaluations/{'0' * 64}")
    assert "has not been run" in report.json()["suites"][0]["finding"]
    named = viewer.get(f"/agents/clinic/evaluations/{'0' * 64}?suite=front-desk&tolerance=0.5").json()
    assert [suite["suite"] for suite in named["suites"]] == ["front-desk"]
