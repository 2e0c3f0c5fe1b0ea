"""A rollout in a real browser: started, watched, paused, rolled back at once; by keyboard and on a phone."""

import pytest
from playwright.sync_api import expect

from agentversions.models import Agent
from agentversions.services.deployments import live_version, make_live
from channels.core.routes import Follow, Target
from channels.models import Channel, Rollout
from channels.services.routes import pin
from tests.channels.moving_rollouts import start, story
from tests.channels.scheduled import make_clinic
from tests.factories import make_channel, make_user
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    return make_clinic()


def test_a_rollout_is_started_watched_paused_and_rolled_back(page_as: PageAs, agent: Agent) -> None:
    on_draft = make_channel(agent, address="+33198765432")
    pin(channel=make_channel(agent), target=Target("clinic", Follow.LIVE), actor=agent.created_by)
    page = page_as(make_user("operator"))
    page.goto("/agents/clinic/versions/")
    page.get_by_role("link", name="Roll out V3").click()
    expect(page.get_by_label("Version", exact=True)).to_have_value("3")
    page.get_by_text("Fast", exact=True).click()
    expect(page.get_by_label("Callers at step")).to_have_count(2)
    page.get_by_role("button", name="Add a step").click()
    expect(page.get_by_label("Callers at step")).to_have_count(3)
    page.get_by_label("Callers at step 3").fill("40")
    page.get_by_label("+33 1 98 76 54 32").check()
    page.get_by_role("button", name="Start the rollout").click()
    expect(page.get_by_role("alert")).to_contain_text("must be above the step before it (50 %)")
    expect(page.get_by_label("Callers at step 3")).to_have_value("40")
    page.get_by_label("Callers at step 3").fill("80")
    page.get_by_role("button", name="Start the rollout").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Canary at 10 %")
    assert str(Channel.objects.with_route().get(pk=on_draft.pk).route) == "clinic Live"
    expect(page.get_by_label("Main navigation")).to_contain_text("1 rollout open")
    page.get_by_role("link", name="Pause").click()
    page.locator("#dialog").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Paused at 10 %")
    page.get_by_role("link", name="Roll back now").click()
    page.locator("#dialog").get_by_label("Reason").fill("Callers complain")
    page.locator("#dialog").get_by_role("button", name="Roll back now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rolled back")
    expect(page.locator("#rollout-moves")).to_contain_text("Callers complain")
    expect(page.get_by_role("link", name="Promote to 100 %")).to_have_count(0)
    expect(page.get_by_label("Main navigation")).not_to_contain_text("open")
    assert [share for _, _, share in story(Rollout.objects.get())] == [10_000, 10_000, 0]
    assert str(live_version(agent)) == "V1"


def test_on_a_phone_by_keyboard_and_while_somebody_else_moves_it(page_as: PageAs, agent: Agent) -> None:
    operator = make_user("operator")
    rollout = start(agent, operator)
    page = page_as(operator, viewport={"width": 390, "height": 844})
    page.goto(f"/rollouts/{rollout.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Canary at 10 %")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#rollout-promote").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#move-reason")).to_be_focused()
    make_live(version=agent.versions.get(number=3), actor=operator)
    page.keyboard.type("Good enough")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("The rollout moved meanwhile: it is cancelled now")
    page.goto(f"/rollouts/{rollout.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    expect(page.locator("#rollout-moves")).to_contain_text("made V3 live")
    page.goto("/rollouts/new/?agent=clinic&version=2")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
