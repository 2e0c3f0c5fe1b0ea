"""The pages of evaluations: suites, cases, runs, comparisons, and trying an agent."""

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agentversions.models import EvaluationRun, EvaluationSuite, HumanMark
from agentversions.services.deployments import make_live
from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.suites import cases_of
from tests.agentversions.evaluations import case, run_of, suite_of
from tests.factories import make_agent, make_user, make_version
from tests.scripted_llm import ScriptedModel

pytestmark = pytest.mark.django_db
CASE = {
    "name": "hours", "tags": "faq, opening", "weight": "2", "must_pass": "on", "fixtures": "",
    "turns-0-role": "user", "turns-0-text": "Open?", "turns-0-calls": "",
    "expect-0-kind": "contains", "expect-0-text": "nine", "expect-0-value": "", "expect-0-option": "all",
    "expect-1-kind": "tool_called", "expect-1-text": "look", "expect-1-value": '{"day": 1}', "expect-1-option": "",
}  # fmt: skip


def signed_in(*roles: str) -> Client:
    client = Client()
    client.force_login(make_user(*roles))
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return str(answer.content.decode())


def current(suite: EvaluationSuite) -> list[Any]:
    latest = EvaluationSuite.objects.get(pk=suite.pk).latest
    assert latest is not None
    return list(cases_of(latest))


def test_a_suite_is_made_described_archived_and_found_again() -> None:
    client = signed_in()
    made = client.post("/evaluations/new/", {"name": "Opening hours", "agent": ""})
    assert made.headers["Location"] == "/evaluations/opening-hours/"
    assert "No cases yet" in page(client, "/evaluations/opening-hours/")
    client.post("/evaluations/opening-hours/edit/", {"name": "Hours", "description": "When", "agent": ""})
    assert "Hours" in page(client, "/evaluations/?q=when")
    client.post("/evaluations/opening-hours/archive/")
    assert "No suites yet" in page(client, "/evaluations/")
    assert "Hours" in page(client, "/evaluations/?archived=1")
    refused = client.post("/evaluations/new/", {"name": "Opening hours", "agent": "nobody"})
    assert (refused.status_code, "There is no agent “nobody”" in refused.content.decode()) == (422, True)


def test_a_case_is_written_in_rows_and_nothing_typed_is_lost_when_it_is_refused() -> None:
    client, suite = signed_in(), suite_of(case("old"))
    refused = client.post(f"/evaluations/{suite.slug}/cases/new/", {**CASE, "expect-1-value": "{day"})
    assert refused.status_code == 422
    assert "JSON value is not JSON" in refused.content.decode()
    assert "{day" in refused.content.decode()
    assert client.post(f"/evaluations/{suite.slug}/cases/new/", CASE).status_code == 302
    (_, made) = current(suite)
    assert (made.tags, made.weight, made.must_pass) == (("faq", "opening"), 2, True)
    assert made.expect[0].scope == "all"
    assert made.expect[1].arguments == {"day": 1}
    shown = page(client, f"/evaluations/{suite.slug}/cases/edit/?name=hours")
    assert 'value="faq opening"' in shown
    renamed = {**CASE, "name": "times", "seen": "3"}
    assert client.post(f"/evaluations/{suite.slug}/cases/edit/?name=hours", renamed).status_code == 302
    assert [one.name for one in current(suite)] == ["old", "times"]
    late = client.post(f"/evaluations/{suite.slug}/cases/edit/?name=times", {**CASE, "seen": "3"})
    assert "saved revision 4 since you opened this" in late.content.decode()
    client.post(f"/evaluations/{suite.slug}/cases/remove/", {"name": "times"})
    assert [one.name for one in current(suite)] == ["old"]


def test_a_file_goes_in_and_comes_out_again() -> None:
    client, suite = signed_in(), suite_of(case("old"))
    bad = SimpleUploadedFile("x.csv", b"name,question,contains\nlonely,Hello?,\n")
    refused = client.post(f"/evaluations/{suite.slug}/import/", {"file": bad})
    assert refused.status_code == 422
    assert "lonely” expects nothing" in refused.content.decode()
    for form in ("json", "csv", "yaml"):
        text = b"".join(client.get(f"/evaluations/{suite.slug}/export/{form}/").streaming_content)  # type: ignore[attr-defined]
        other = suite_of(name=form)
        sent = {"file": io.BytesIO(text), "is_whole": "on"}
        sent["file"].name = f"x.{form}"  # type: ignore[attr-defined]
        assert client.post(f"/evaluations/{other.slug}/import/", sent).status_code == 302
        assert current(other) == current(suite)


def test_a_run_is_started_watched_marked_and_compared_with_live(model: ScriptedModel) -> None:
    client, agent = signed_in(), make_agent(slug="clinic")
    suite = suite_of(case("hours", "Open?", must_pass=True, tags=["faq"]))
    live = make_version(agent)
    make_live(version=live, actor=make_user("admin"))
    run_of(suite, agent, version=live)
    make_version(agent, system_prompt="Say nothing of hours.")
    model.script({"answers": [{"text": "We are shut."}]})
    wrong = client.post(
        f"/evaluations/{suite.slug}/run/",
        {"agent": "clinic", "target": "9", "environment": "production", "concurrency": "x"},
    )
    assert wrong.status_code == 422
    sent = {"agent": "clinic", "target": "V2", "environment": "production", "concurrency": "5"}
    started = client.post(f"/evaluations/{suite.slug}/run/", sent)
    run = EvaluationRun.objects.latest("pk")
    assert started.headers["Location"] == f"/evaluations/runs/{run.pk}/"
    assert 'hx-trigger="every 1s"' in page(client, f"/evaluations/runs/{run.pk}/")
    assert run_suite(run.pk)
    ended = client.get(f"/evaluations/runs/{run.pk}/progress/", headers={"HX-Request": "true"})
    assert ended.headers["HX-Refresh"] == "true"
    shown = page(client, f"/evaluations/runs/{run.pk}/")
    assert "every 1s" not in shown
    assert "Must pass, did not" in shown
    assert "hours" in page(client, f"/evaluations/runs/{run.pk}/?outcome=fail&q=hours")
    assert (
        client.post(f"/evaluations/runs/{run.pk}/results/0/mark/", {"mark": "fail", "note": "Rude"}).status_code == 302
    )
    assert HumanMark.objects.get().is_pass is False
    assert "Rude" in page(client, f"/evaluations/runs/{run.pk}/results/0/")
    (address,) = re.findall(r'href="(/evaluations/runs/\d+\.\.\.\d+/)"', shown)
    flips = page(client, address)
    assert "pass → fail" in flips
    assert re.search(r"<del>yes</del>|<del>.*yes.*</del>", flips)
    assert page(client, f"/evaluations/runs/{run.pk}/compare/?with=x", 404)


def test_a_running_run_is_cancelled_on_its_page(model: ScriptedModel) -> None:
    client, agent, suite = signed_in(), make_agent(slug="clinic"), suite_of(case("a"))
    client.post(
        f"/evaluations/{suite.slug}/run/",
        {"agent": "clinic", "target": "draft", "environment": "production", "concurrency": "5"},
    )
    run = EvaluationRun.objects.get(agent=agent)
    client.post(f"/evaluations/runs/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_without_endpoints_the_form_says_what_an_admin_sets(settings: Any) -> None:
    settings.LLM_ENDPOINTS = {}
    make_agent(slug="clinic")
    suite = suite_of(case("a"))
    sent = {"agent": "clinic", "target": "draft", "environment": "staging", "concurrency": "5"}
    refused = signed_in().post(f"/evaluations/{suite.slug}/run/", sent)
    assert (refused.status_code, "LLM_ENDPOINTS" in refused.content.decode()) == (422, True)


def state_of(text: str, side: str) -> str:
    import html

    (found,) = re.findall(rf'name="{side}_state" value="([^"]*)"', text)
    return html.unescape(found)


def test_two_versions_are_tried_side_by_side_tools_by_hand_and_saved_as_a_case(model: ScriptedModel) -> None:
    call = {"name": "transfer_to_human", "arguments": {"reason": "angry"}}
    model.script({"match": "ringing", "answers": [{"text": "Somebody comes."}]}, {"answers": [{"calls": [call]}]})
    client, agent, suite = signed_in(), make_agent(slug="clinic"), suite_of()
    make_version(agent)
    assert "Hello, how can I help you?" in page(client, "/agents/clinic/try/")
    sent = {"left": "draft", "right": "1", "environment": "production", "text": "I am angry"}
    waits = client.post("/agents/clinic/try/", sent).content.decode()
    assert waits.count("What does transfer_to_human answer?") == 2
    assert len(model.asked) == 2
    both = {f"{side}_state": state_of(waits, side) for side in ("left", "right")}
    was = {"left_was": "draft", "right_was": "1"}
    tools = {"left_tool_call_0": '{"state": "ringing"}', "right_tool_call_0": ""}
    went = client.post("/agents/clinic/try/", {**sent, **both, **was, **tools, "text": ""}).content.decode()
    assert went.count("Somebody comes.") == 2  # once said, once kept in the field
    saved = {
        "left": "draft",
        "left_state": state_of(went, "left"),
        "left_was": "draft",
        "side": "left",
        "suite": suite.slug,
    }
    form = client.post("/agents/clinic/try/save/", saved).content.decode()
    assert "I am angry" in form
    assert "Somebody comes." in form
    assert "ringing" in form


def test_fixtures_answer_while_trying_and_what_is_wrong_is_said(model: ScriptedModel, settings: Any) -> None:
    model.script(
        {"match": "ringing", "answers": [{"text": "Soon."}]},
        {"answers": [{"calls": [{"name": "transfer_to_human", "arguments": {}}]}]},
    )
    client = signed_in()
    make_agent(slug="clinic")
    sent = {"left": "draft", "environment": "production", "text": "Hi"}
    fixtures = '[{"name": "transfer_to_human", "result": {"state": "ringing"}}]'
    assert "Soon." in client.post("/agents/clinic/try/", {**sent, "fixtures": fixtures}).content.decode()
    for change, words in (
        ({"fixtures": "{"}, "Write what tools answer as JSON"),
        ({"left": "7"}, "has no version 7"),
        ({"left_state": "{", "left_was": "draft"}, "cannot be read any more"),
        ({"environment": "moon"}, "is no environment"),
    ):
        refused = client.post("/agents/clinic/try/", {**sent, **change})
        assert refused.status_code == 422
        assert words in refused.content.decode()
        assert 'value="Hi"' in refused.content.decode()
    model.script({"answers": [{"status": 401}]})
    assert "refuses the key" in client.post("/agents/clinic/try/", sent).content.decode()


def test_a_list_of_suites_costs_the_same_number_of_queries_however_long(django_assert_max_num_queries: Any) -> None:
    for number in range(8):
        suite_of(case("a"), name=f"Suite {number}")
    client = signed_in("viewer")
    with django_assert_max_num_queries(8):
        page(client, "/evaluations/")
