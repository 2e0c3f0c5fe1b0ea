"""A tool is switched off for one caller in a real browser, by keyboard and on a phone, and the next call hears it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from agentversions.models import Agent
from channels.core.routes import Follow, Target
from channels.models import Channel
from channels.runtime.application import Runtime
from channels.services.routes import pin
from tests.channels.flagged import ME, YOU, make_flag, off_for
from tests.channels.runtime import call, eventually, resolve_token, running
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)
TOOL = "transfer_to_human"


@pytest.fixture
def channel() -> Channel:
    agent: Agent = make_agent(make_user("editor"), slug="clinic")
    make_version(agent, name="First opening")
    channel = make_channel(agent, address="+33198765432")
    return pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)


@pytest.fixture
def runtime(tmp_path: Path, channel: Channel) -> Iterator[Runtime]:
    with running(tmp_path / "store.sqlite3", caller_secret=settings.CALLER_SECRET) as runtime:
        yield runtime


def test_a_tool_is_switched_off_for_one_caller_and_the_next_call_hears_it(
    page_as: PageAs, channel: Channel, runtime: Runtime
) -> None:
    token = resolve_token()

    def ask(caller: str) -> dict[str, Any]:
        question = {"number": channel.address, "caller": caller, "call_id": caller}
        return call(runtime, question, token=token).json

    def tools(caller: str) -> list[str]:
        return [tool["name"] for tool in ask(caller)["configuration"]["tools"]]

    assert (tools(ME), tools(YOU)) == ([TOOL], [TOOL])
    page = page_as(make_user("operator"))
    page.goto("/flags/")
    page.get_by_role("link", name="New flag").first.click()
    page.get_by_label("Key").fill("no-transfer")
    page.get_by_label("Agent", exact=True).select_option("clinic")
    expect(page.get_by_text("Saving checks it against Draft, V1")).to_be_visible()
    expect(page.get_by_label("Key")).to_have_value("no-transfer")
    page.get_by_label("Tool", exact=True).select_option(TOOL)
    page.get_by_role("button", name="Add a rule").press("Enter")
    expect(page.get_by_label("Name", exact=False).first).to_be_focused()
    page.get_by_text("Only these callers").click()
    page.get_by_label("Callers, one per line").fill("+33 6 12 34 56 7\n")
    page.get_by_role("button", name="Make the flag").click()
    expect(page.locator(".flag-bad-lines")).to_contain_text("Line 1")
    page.get_by_label("Callers, one per line").fill("+33 6 12 34 56 78")
    page.get_by_role("button", name="Make the flag").click()
    expect(page.locator(".route-now")).to_contain_text("1 caller on a list → the tool is switched off")

    eventually(lambda: tools(ME) == [], 2)
    assert tools(YOU) == [TOOL]
    said = ask(ME)
    assert said["overlay"] == {"no-transfer": "off"}
    assert (said["version"], said["digest"] != said["effective_digest"]) == (1, True)

    page.get_by_label("Caller", exact=True).fill("+33 6 12 34 56 78")
    page.get_by_label("Number that is called").fill(channel.address)
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#explained")).to_contain_text("Every condition is met.")
    expect(page.locator("#explained .digest")).to_have_text(said["effective_digest"][:8])

    switch = page.get_by_role("switch", name="no-transfer acts")
    switch.press("Space")
    page.locator("#dialog").get_by_label("Reason").fill("The list was wrong")
    page.keyboard.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "false")
    eventually(lambda: tools(ME) == [TOOL], 2)
    expect(page.locator("#flag-history")).to_contain_text("The list was wrong")


def test_rules_are_reordered_by_keyboard_on_a_phone_and_nothing_typed_is_lost(
    page_as: PageAs, channel: Channel
) -> None:
    operator = make_user("operator")
    rules = (off_for(ME, name="First"), off_for(YOU, name="Second"))
    make_flag(rules=rules, callers=(ME, YOU), actor=operator)
    page: Page = page_as(operator, viewport={"width": 390, "height": 844})
    page.goto("/flags/no-transfer/")
    names = page.locator("[name$=-name][name^=rule-]")
    names.nth(1).fill("Guests")
    page.get_by_role("button", name="Move rule 2 up").press("Enter")
    expect(names.nth(0)).to_have_value("Guests")
    expect(page.get_by_role("button", name="Move rule 1 down")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".flag-rules li").first).to_contain_text("Guests")
    page.get_by_text("Take it back to this").first.click()
    expect(page.locator("#dialog")).to_contain_text("The rules stand in another order")
    page.locator("#dialog").get_by_role("button", name="Take it back").click()
    expect(page.locator(".flag-rules li").first).to_contain_text("First")
