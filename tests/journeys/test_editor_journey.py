"""The editor in a real browser: saved by itself, offline and back, a refused edit survives a reload, two people."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from agentversions.models import Agent, User
from tests.factories import make_agent, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)

WELCOME = "Welcome message"
PROMPT = "System prompt"
SAVED = re.compile(r"Draft saved \d\d:\d\d:\d\d")


@pytest.fixture
def editor() -> User:
    return make_user("editor", username="berta")


@pytest.fixture
def agent(editor: User) -> Agent:
    return make_agent(editor, slug="clinic")


def wait_until_saved(page: Page, agent: Agent, welcome: str) -> None:
    """Until the server holds this welcome message and the page says so; a fresh page says "saved" from the start."""
    for _ in range(100):
        if welcome_of(agent) == welcome:
            break
        page.wait_for_timeout(50)
    assert welcome_of(agent) == welcome
    expect(state_of(page)).to_have_text(SAVED)


def open_tab(page: Page, tab: str = "prompt") -> Page:
    page.goto(f"/agents/clinic/?tab={tab}")
    return page


def state_of(page: Page) -> Locator:
    return page.locator("[data-save-text]")


def welcome_of(agent: Agent) -> str:
    return Agent.objects.get(pk=agent.pk).draft.load().welcome_message


def test_what_is_typed_is_saved_by_itself_and_marked(page_as: PageAs, agent: Agent, editor: User) -> None:
    make_version(agent, name="First")
    page = open_tab(page_as(editor))
    page.get_by_label(WELCOME).fill("Good evening, this is the clinic.")
    expect(page.locator("[data-difference]")).to_have_text("Draft has 1 change since V1")
    expect(state_of(page)).to_have_text(SAVED)
    assert welcome_of(agent) == "Good evening, this is the clinic."
    field = page.locator("[data-field=welcome_message]")
    expect(field.get_by_text("changed since V1")).to_be_visible()
    expect(page.locator("[data-tab-mark=prompt]")).to_be_visible()
    field.get_by_text("changed since V1").click()
    expect(page.get_by_role("dialog")).to_contain_text("Hello, how can I help you?")
    page.get_by_role("button", name="Take back what V1 has").click()
    expect(page.get_by_label(WELCOME)).to_have_value("Hello, how can I help you?")
    expect(page.locator("[data-same]")).to_have_text("Draft is the same as V1")


def test_edits_typed_offline_survive_a_reload_and_are_saved_when_back(
    page_as: PageAs, agent: Agent, editor: User
) -> None:
    page = open_tab(page_as(editor))
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_label(WELCOME).fill("Typed on a train")
    expect(state_of(page)).to_contain_text("Offline: kept here")
    second = page.context.new_page()
    page.close()
    page.context.set_offline(False)
    open_tab(second, "model")
    wait_until_saved(second, agent, "Typed on a train")


def test_the_connection_coming_back_saves_at_once(page_as: PageAs, agent: Agent, editor: User) -> None:
    page = open_tab(page_as(editor))
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_label(WELCOME).fill("One")
    expect(state_of(page)).to_contain_text("Offline: kept here")
    page.get_by_label(WELCOME).fill("Two")
    page.context.set_offline(False)
    wait_until_saved(page, agent, "Two")


def test_a_refused_edit_stays_says_why_and_survives_a_reload(page_as: PageAs, agent: Agent, editor: User) -> None:
    page = open_tab(page_as(editor), "model")
    page.get_by_label("Temperature").fill("hot")
    page.get_by_label("LLM model").fill("gpt-5")
    error = page.locator("[data-field='model.temperature'] [data-error]")
    expect(error).to_contain_text("Temperature must be a number")
    expect(state_of(page)).to_contain_text("Not saved, kept here")
    assert Agent.objects.get(pk=agent.pk).draft.load().model.name == "gpt-5"
    page.reload()
    expect(page.get_by_label("Temperature")).to_have_value("hot")
    expect(error).to_contain_text("Temperature must be a number")
    page.get_by_label("Temperature").fill("0.2")
    expect(error).to_be_hidden()
    expect(state_of(page)).to_have_text(SAVED)
    assert Agent.objects.get(pk=agent.pk).draft.load().model.temperature == 0.2


def test_two_people_in_different_fields_see_each_other_and_merge(page_as: PageAs, agent: Agent, editor: User) -> None:
    mine, theirs = open_tab(page_as(editor)), open_tab(page_as(make_user("editor", username="anna")))
    theirs.get_by_label(WELCOME).fill("Hello from Anna")
    wait_until_saved(theirs, agent, "Hello from Anna")
    mine.get_by_label(PROMPT, exact=True).fill("You are the clinic.")
    expect(mine.get_by_label(WELCOME)).to_have_value("Hello from Anna")
    expect(mine.get_by_text("anna changed this just now.")).to_be_visible()
    expect(mine.get_by_title("anna has this page open")).to_be_attached()
    expect(state_of(mine)).to_have_text(SAVED)
    content = Agent.objects.get(pk=agent.pk).draft.load()
    assert (content.welcome_message, content.system_prompt) == ("Hello from Anna", "You are the clinic.")


def test_two_people_in_the_same_field_choose(page_as: PageAs, agent: Agent, editor: User) -> None:
    mine, theirs = open_tab(page_as(editor)), open_tab(page_as(make_user("editor", username="anna")))
    mine.wait_for_load_state("networkidle")
    mine.context.set_offline(True)
    mine.get_by_label(WELCOME).fill("Mine")
    theirs.get_by_label(WELCOME).fill("Theirs")
    wait_until_saved(theirs, agent, "Theirs")
    mine.context.set_offline(False)
    dialog = mine.get_by_role("dialog")
    expect(dialog).to_contain_text("anna changed the same field")
    expect(dialog).to_contain_text("Theirs")
    assert welcome_of(agent) == "Theirs"
    dialog.get_by_label("Mine", exact=True).first.check()
    dialog.get_by_role("button", name="Save what I chose").click()
    wait_until_saved(mine, agent, "Mine")
    expect(theirs.get_by_label(WELCOME)).to_have_value("Mine")


def test_two_tabs_of_one_person_ask_too_and_theirs_can_win(page_as: PageAs, agent: Agent, editor: User) -> None:
    first = open_tab(page_as(editor))
    second = open_tab(first.context.new_page())
    first.get_by_label(WELCOME).fill("First tab")
    second.get_by_label(WELCOME).fill("Second tab")
    second.wait_for_function("document.querySelector('[data-save-state]').dataset.saveState !== 'saving'")
    first.wait_for_timeout(2_500)
    page = first if first.get_by_role("dialog").is_visible() else second
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("changed the same field")
    saved = welcome_of(agent)
    dialog.get_by_label("Theirs").first.check()
    dialog.get_by_role("button", name="Save what I chose").click()
    expect(page.get_by_label(WELCOME)).to_have_value(saved)
    assert welcome_of(agent) == saved


def test_items_are_added_moved_renamed_and_removed(page_as: PageAs, agent: Agent, editor: User) -> None:
    page = open_tab(page_as(editor), "tools")
    page.get_by_label("Name of the new tool").fill("book")
    page.get_by_label("Name of the new tool").press("Enter")
    book = page.locator("[data-key=book]")
    expect(book).to_be_visible()
    book.get_by_label("Timeout").fill("7")
    book.get_by_role("button", name="Move book up").click()
    expect(page.locator("[data-item]").first).to_have_attribute("data-key", "book")
    book.get_by_label("Name", exact=True).fill("transfer_to_human")
    book.get_by_role("button", name="Rename").click()
    expect(book.get_by_text("Two entries of “Tool” are called “transfer_to_human”")).to_be_visible()
    book.get_by_label("Name", exact=True).fill("book_slot")
    book.get_by_role("button", name="Rename").click()
    slot = page.locator("[data-key=book_slot]")
    expect(slot.get_by_label("Timeout")).to_have_value("7")
    slot.get_by_role("button", name="Remove").click()
    expect(slot).to_have_count(0)
    expect(state_of(page)).to_have_text(SAVED)
    assert [tool.name for tool in Agent.objects.get(pk=agent.pk).draft.load().tools] == ["transfer_to_human"]


def test_workflow_errors_name_their_line_and_the_picture_follows(page_as: PageAs, agent: Agent, editor: User) -> None:
    page = open_tab(page_as(editor), "workflow")
    box = page.locator("textarea[data-path=workflow]")
    box.fill('{\n  "nodes": [\n    {"id": "start",}\n  ],\n  "edges": []\n}')
    expect(page.locator("[data-error]")).to_contain_text("Line 3")
    expect(page.locator("[data-lines] mark")).to_have_text("3")
    page.locator("[data-error]").get_by_role("button", name="Line 3").click()
    expect(box).to_be_focused()
    box.fill('{\n  "nodes": [\n    {"id": "start", "label": "Greeting"}\n  ],\n  "edges": []\n}')
    expect(page.locator("svg.workflow-graph")).to_contain_text("Greeting")
    box.press("Tab")
    expect(box).not_to_be_focused()


def test_an_expired_sign_in_keeps_what_is_typed_and_says_so(page_as: PageAs, agent: Agent, editor: User) -> None:
    page = open_tab(page_as(editor))
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    page.get_by_label(WELCOME).fill("Typed too late")
    expect(state_of(page)).to_contain_text("Signed out: kept here")
    page.context.add_cookies([cookie for cookie in cookies if cookie["name"] == "sessionid"])
    wait_until_saved(page, agent, "Typed too late")


def test_without_scripts_the_form_saves(page_as: PageAs, agent: Agent, editor: User) -> None:
    page = open_tab(page_as(editor, java_script_enabled=False))
    page.get_by_label(WELCOME).fill("Saved by a button")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("The draft is saved")).to_be_visible()
    assert welcome_of(agent) == "Saved by a button"
