"""Evaluations in real browsers: a suite, a case, a run that moves, a mark, a flip table, a talk kept as a case."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agentversions.models import EvaluationSuite
from agentversions.services.deployments import make_live
from agentversions.services.drafts import replace_draft
from agentversions.services.evaluations.suites import cases_of, change_cases
from tests.agentversions.conftest import _model, model
from tests.agentversions.evaluations import case, run_of
from tests.factories import make_agent, make_configuration, make_user, make_version
from tests.journeys.conftest import PageAs
from tests.journeys.test_accessibility import axe, visit_all
from tests.scripted_llm import ScriptedModel
from tests.worker import working_on_runs

__all__ = ["_model", "axe", "model"]
pytestmark = pytest.mark.django_db(transaction=True)
MORE = 6


def make_suite_with_a_case(page: Page) -> EvaluationSuite:
    """By hand, as a person does; then some more cases of the same kind."""
    page.goto("/evaluations/")
    page.get_by_role("link", name="New suite").first.click()
    page.get_by_label("Name", exact=True).fill("Front desk")
    page.get_by_role("button", name="Make the suite").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Front desk")
    page.get_by_role("link", name="New case").click()
    page.get_by_label("Name", exact=True).fill("Opening hours")
    page.get_by_label("Must pass").check()
    page.get_by_label("What is said, turn 1").fill("Are you open?")
    page.get_by_label("Text, pattern, path, tool or criterion 1").fill("yes")
    page.get_by_role("button", name="Save case").click()
    expect(page.get_by_role("link", name="Opening hours")).to_be_visible()
    suite: EvaluationSuite = EvaluationSuite.objects.get(slug="front-desk")
    more = [case(f"Question {number}", f"Question {number}?") for number in range(MORE)]
    change_cases(suite=suite, put=more, actor=make_user())
    suite.refresh_from_db()
    return suite


def test_a_suite_is_made_run_marked_and_compared(page_as: PageAs, model: ScriptedModel, axe: str) -> None:
    editor = make_user("editor", "admin")
    agent = make_agent(editor, slug="clinic", name="Clinic")
    make_live(version=make_version(agent), actor=editor)
    page = page_as(editor, reduced_motion="reduce")
    suite = make_suite_with_a_case(page)
    run_of(suite, agent, version=agent.versions.get())
    replace_draft(agent=agent, content=make_configuration(name="Clinic", system_prompt="Say no."), actor=editor)
    says_no = {"match": "open", "answers": [{"text": "No, we are closed."}], "delay_ms": 400}
    model.script(says_no, {"answers": [{"text": "yes"}], "delay_ms": 400})

    page.goto("/evaluations/front-desk/")
    page.get_by_role("link", name="Run", exact=True).click()
    page.get_by_label("Questions at once").fill("1")
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("heading", name="Waiting")).to_be_visible()
    expect(page.get_by_label("Cases done")).to_have_attribute("value", "0")
    with working_on_runs():
        expect(page.get_by_text(re.compile(rf"[1-{MORE}] of {MORE + 1} cases"))).to_be_visible()
        expect(page.get_by_role("heading", name="Running")).to_be_visible()
        expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=30_000)
    expect(page.get_by_label("Cases done")).to_have_attribute("value", "100")
    run = page.url.removesuffix("/").rpartition("/")[2]

    page.get_by_role("link", name="Opening hours").click()
    page.get_by_label("Is this answer right?").fill("It should ask for the day.")
    page.get_by_role("button", name="Wrong").click()
    expect(page.get_by_text("It should ask for the day.")).to_be_visible()

    page.goto(f"/evaluations/runs/{run}/")
    page.get_by_role("link", name="Compare with live").click()
    expect(page.locator("span", has_text="pass → fail")).to_be_visible()
    expect(page.get_by_role("heading", name="Opening hours")).to_be_visible()
    expect(page.get_by_text("No, we are closed.", exact=True)).to_be_visible()
    compared = page.url
    paths = (
        "/evaluations/",
        "/evaluations/front-desk/",
        f"/evaluations/runs/{run}/",
        f"/evaluations/runs/{run}/results/0/",
    )
    found = visit_all(page, axe, (*paths, compared))
    assert found == [], "\n".join(found)


def test_a_conversation_is_tried_and_kept_as_a_case(page_as: PageAs, model: ScriptedModel, axe: str) -> None:
    editor = make_user("editor")
    make_agent(editor, slug="clinic", name="Clinic")
    model.script({"answers": [{"text": "yes, until six."}]})
    page = page_as(editor)
    suite = make_suite_with_a_case(page)
    page.goto("/agents/clinic/try/")
    page.get_by_label("What the caller says").fill("Open today?")
    page.get_by_label("What the caller says").press("Enter")
    expect(page.get_by_text("yes, until six.")).to_be_visible()
    assert problems(page, axe) == []
    page.get_by_role("button", name="Save as a case").click()
    expect(page.get_by_label("What is said, turn 1")).to_have_value("Open today?")
    page.get_by_label("Name", exact=True).fill("Open today")
    page.get_by_label("Text, pattern, path, tool or criterion 1").fill("until six")
    page.get_by_role("button", name="Save case").click()
    expect(page.get_by_role("link", name="Open today")).to_be_visible()
    suite.refresh_from_db()
    assert "Open today" in [one.name for one in cases_of(suite.latest)]


def problems(page: Page, axe: str) -> list[Any]:
    """What axe says of the page as it stands."""
    page.evaluate(axe)
    found: list[Any] = page.evaluate("async () => (await axe.run()).violations.map((rule) => rule.id)")
    return found
