"""Comparing in a real browser: choosing sides, stepping with keys, unfolding, restoring from here, also on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from agentversions.models import Agent
from tests.factories import make_agent, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)

LINES = "".join(f"Rule {number} stays as it is.\n" for number in range(30))


@pytest.fixture
def agent() -> Agent:
    """Three versions that differ in prompt, voice, tools and workflow."""
    made = make_agent(make_user("editor", username="pm"))
    nodes = [{"id": "start", "label": "Greeting"}, {"id": "end", "label": "Goodbye"}]
    edges = [{"id": "e1", "source": "start", "target": "end"}]
    make_version(made, name="First", system_prompt=f"Use short sentences.\n{LINES}Hang up.\n")
    made.refresh_from_db()
    make_version(
        made,
        name="Second",
        system_prompt=f"Short sentences.\n{LINES}Say goodbye, then hang up.\n",
        voice={"provider": "elevenlabs", "voice": "Charlotte"},
        workflow={"nodes": nodes, "edges": edges},
    )
    made.refresh_from_db()
    return made


def opened(page: Page, agent: Agent, sides: str, query: str = "") -> Page:
    page.goto(f"/agents/{agent.slug}/compare/{sides}/{query}")
    return page


def test_stepping_through_changes_with_keys_and_buttons(agent: Agent, page_as: PageAs) -> None:
    page = opened(page_as(agent.created_by), agent, "1...2")
    expect(page.get_by_role("heading", name=re.compile("settings changed"))).to_be_visible()
    page.keyboard.press("n")
    first = page.locator("[data-change].is-current")
    expect(first).to_contain_text("Use")
    page.keyboard.press("n")
    expect(page.locator("[data-change].is-current")).to_contain_text("Say goodbye")
    expect(page.locator("[data-position]")).to_have_text(re.compile("^2 of "))
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("[data-change].is-current")).to_contain_text("Use")


def test_unfolding_in_place_and_jumping_from_the_list(agent: Agent, page_as: PageAs) -> None:
    page = opened(page_as(agent.created_by), agent, "1...2")
    hidden = page.locator("#at-system_prompt td", has_text="Rule 15 stays").first
    expect(hidden).to_be_hidden()
    page.get_by_role("link", name="24 unchanged lines").first.click()
    expect(hidden).to_be_visible()
    page.get_by_role("link", name=re.compile("TTS voice")).click()
    assert page.url.endswith("#at-voice.voice")
    expect(page.locator("[id='at-voice.voice']")).to_be_in_viewport()


def test_choosing_sides_swapping_and_changing_the_layout(agent: Agent, page_as: PageAs) -> None:
    page = opened(page_as(agent.created_by), agent, "1...2", "?view=inline")
    page.get_by_label("Compare to").select_option("draft")
    page.wait_for_url("**/compare/1...draft/?view=inline")
    page.get_by_role("link", name="Swap sides").click()
    page.wait_for_url("**/compare/draft...1/?view=inline")
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator(".diff-sides").first).to_be_visible()
    page.get_by_role("link", name="Everything").click()
    expect(page.get_by_role("rowheader", name="Speaking speed")).to_be_visible()


def test_an_old_version_is_restored_from_the_comparison(agent: Agent, page_as: PageAs) -> None:
    page = opened(page_as(agent.created_by), agent, "1...2")
    page.get_by_role("link", name="Restore V1 to draft").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Restore V1")).click()
    expect(dialog).to_be_hidden()
    agent.refresh_from_db()
    assert agent.draft_id == agent.versions.get(number=1).configuration_id


def test_without_scripts_everything_is_reached_by_links(agent: Agent, page_as: PageAs) -> None:
    page = opened(page_as(agent.created_by, java_script_enabled=False), agent, "1...2")
    page.get_by_role("link", name="24 unchanged lines").first.click()
    expect(page.locator("td", has_text="Rule 15 stays").first).to_be_visible()
    page.get_by_label("Compare to").select_option("draft")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare/1...draft/**")


@pytest.mark.parametrize("query", ["", "?view=inline", "?show=everything"])
def test_a_phone_shows_one_column_without_sideways_scrolling(agent: Agent, page_as: PageAs, query: str) -> None:
    page = opened(page_as(agent.created_by, viewport={"width": 390, "height": 844}), agent, "1...2", query)
    expect(page.get_by_text("Say goodbye").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if not query:
        removed = page.locator("tr.changed td.base").first.bounding_box()
        added = page.locator("tr.changed td.head").first.bounding_box()
        assert removed is not None
        assert added is not None
        assert added["y"] >= removed["y"] + removed["height"] - 1


def test_blame_leads_to_the_version_and_to_what_it_changed(agent: Agent, page_as: PageAs) -> None:
    page = page_as(agent.created_by)
    page.goto(f"/agents/{agent.slug}/versions/2/blame/")
    expect(page.get_by_role("row").filter(has_text="Say goodbye, then hang up.")).to_contain_text("V2 Second")
    page.get_by_role("link", name="What V2 changed").first.click()
    page.wait_for_url("**/compare/1...2/")
