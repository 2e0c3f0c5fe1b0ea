"""The main job in a real browser: edit, publish, compare, restore, undo; with the keyboard, and with scripts off."""

import re

import pytest
from playwright.sync_api import Page, expect

from agentversions.models import Agent
from tests.factories import make_agent, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(make_user(username="berta"), slug="clinic")
    make_version(agent, name="First opening")
    return agent


def draft_of(agent: Agent) -> str:
    return Agent.objects.get(pk=agent.pk).draft_id


def edit_prompt(page: Page, text: str) -> None:
    page.goto("/agents/clinic/")
    page.get_by_label("System prompt").fill(text)
    expect(page.locator("[data-difference]")).to_contain_text("since V1")
    expect(page.locator("[data-save-text]")).to_have_text(re.compile(r"Draft saved"))


def test_edit_publish_compare_restore_and_undo(page_as: PageAs, agent: Agent) -> None:
    page = page_as(agent.created_by)
    edit_prompt(page, "# Role\nYou answer the phone for the clinic at night.")

    page.get_by_role("link", name="Publish version").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Publish version 2")).to_be_visible()
    expect(dialog).to_contain_text("System prompt")
    dialog.get_by_label("Name").fill("Answers at night")
    dialog.get_by_role("button", name="Publish V2").click()
    expect(page.locator("#toasts")).to_contain_text("Published V2 “Answers at night”.")
    expect(dialog).to_be_hidden()
    second = agent.versions.get(number=2)
    assert second.configuration_id == draft_of(agent)

    page.goto("/agents/clinic/compare/1...2/")
    expect(page.locator("td.head").filter(has_text="clinic at night")).to_be_visible()

    page.goto("/agents/clinic/")
    page.get_by_role("link", name=re.compile("^Versions")).click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("First opening")
    panel.locator("a[href='/agents/clinic/versions/1/restore/']").click()
    dialog.get_by_role("button", name="Restore V1").click()
    expect(page.locator("#toasts")).to_contain_text("Restored V1 “First opening” to the draft.")
    first = agent.versions.get(number=1)
    assert draft_of(agent) == first.configuration_id
    expect(page.get_by_label("System prompt")).to_have_value(re.compile("Short sentences"))

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("System prompt")).to_have_value(re.compile("at night"))
    assert draft_of(agent) == second.configuration_id


def test_the_keyboard_publishes_and_gets_its_focus_back(page_as: PageAs, agent: Agent) -> None:
    page = page_as(agent.created_by)
    edit_prompt(page, "You answer by keyboard.")
    page.get_by_label("System prompt").focus()
    page.keyboard.press("Control+Shift+P")
    name = page.locator("#dialog").get_by_label("Name")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    page.keyboard.press("Control+Shift+P")
    expect(name).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Published V2 “By keyboard”.")


def test_the_panel_loads_older_versions_while_scrolling(page_as: PageAs, agent: Agent) -> None:
    for number in range(2, 61):
        make_version(agent, name=f"Change {number}")
    page = page_as(agent.created_by)
    page.goto("/agents/clinic/")
    page.get_by_role("link", name=re.compile("^Versions")).click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("Change 60")
    expect(panel).not_to_contain_text("First opening")
    panel.hover()
    page.mouse.wheel(0, 20_000)
    expect(panel).to_contain_text("First opening")


def test_publishing_and_restoring_work_with_scripts_off(page_as: PageAs, agent: Agent) -> None:
    page = page_as(agent.created_by, java_script_enabled=False)
    page.goto("/agents/clinic/")
    page.get_by_label("Welcome message").fill("Good evening")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("link", name="Publish version").click()
    page.get_by_label("Name").fill("Without scripts")
    page.get_by_role("button", name="Publish V2").click()
    expect(page.get_by_text("Published V2 “Without scripts”.")).to_be_visible()
    page.goto("/agents/clinic/versions/1/restore/")
    page.get_by_role("button", name="Restore V1").click()
    expect(page.get_by_text(re.compile("Restored V1"))).to_be_visible()
    assert draft_of(agent) == agent.versions.get(number=1).configuration_id
    page.get_by_role("button", name="Undo").click()
    assert draft_of(agent) == agent.versions.get(number=2).configuration_id
