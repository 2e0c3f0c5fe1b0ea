"""An approval in real browsers: an editor asks, an approver comments and approves, and callers hear the new version."""

import re

import pytest
from playwright.sync_api import expect

from agentversions.services.deployments import live_version
from channels.core.routes import Follow, Target
from channels.services.routes import pin
from tests.agentversions.releases import make_release
from tests.factories import make_channel
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_editor_asks_an_approver_approves_and_it_goes_live(page_as: PageAs) -> None:
    release = make_release(approvals=1)
    pin(channel=make_channel(release.agent), target=Target("clinic", Follow.LIVE), actor=release.operator)

    held = page_as(release.operator)
    held.goto("/agents/clinic/versions/")
    held.get_by_role("link", name=re.compile(r"Make live\s*: V2")).click()
    expect(held.locator("#dialog")).to_contain_text("V2 may not go to callers yet")
    expect(held.locator("#dialog").get_by_role("button", name="Make V2 live")).to_have_count(0)

    editor = page_as(release.editor)
    editor.goto("/agents/clinic/versions/2/")
    editor.get_by_role("link", name="Ask for approval").click()
    editor.locator("#dialog").get_by_label("What it is for").fill("Callers like it warmer")
    editor.locator("#dialog").get_by_label("Make it live in the moment it is approved").check()
    editor.locator("#dialog").get_by_role("button", name="Ask for approval").click()
    expect(editor.get_by_role("heading", level=1)).to_contain_text("Waiting")
    expect(editor.get_by_text("An approver decides on it.")).to_be_visible()

    approver = page_as(release.approver, viewport={"width": 390, "height": 844})
    approver.goto("/approvals/")
    approver.get_by_role("link", name="V2 “Warmer welcome”").click()
    expect(approver.get_by_text("1 channel follows Live and moves")).to_be_visible()
    assert approver.evaluate("document.documentElement.scrollWidth") == 390
    approver.get_by_role("link", name="Comment on Welcome message").click()
    row = approver.locator("#at-welcome_message tbody tr").last
    row.get_by_role("link", name="Comment on line 1").click()
    written = row.get_by_label("Comment on Welcome message, line 1")
    expect(written).to_be_focused()
    written.fill("Nicer than before")
    row.get_by_role("button", name="Comment").click()
    expect(row.get_by_text("Nicer than before")).to_be_visible()
    expect(written).to_have_count(0)
    assert approver.evaluate("document.documentElement.scrollWidth") == 390
    approver.get_by_role("link", name="Approval of V2").click()
    said = approver.locator(".remark", has_text="Nicer than before")
    said.get_by_role("link", name="Welcome message").click()
    expect(approver.locator("#at-welcome_message .remark:target")).to_contain_text("Nicer than before")
    approver.get_by_role("link", name="Approval of V2").click()
    approver.get_by_role("button", name="Approve").click()
    expect(approver.get_by_role("status").first).to_contain_text("V2 went live.")
    assert live_version(release.agent) == release.second
