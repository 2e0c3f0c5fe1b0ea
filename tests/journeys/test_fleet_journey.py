"""The bad hour in a real browser: publish, make live, pin; change many numbers, undo; take everything back."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from agentversions.models import Agent
from agentversions.services.deployments import live_version, make_live
from channels.core.routes import Follow, Target, single
from channels.models import Channel
from channels.services.draft_serving import applied_draft
from channels.services.routes import pin
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(make_user("editor", "operator", username="berta"), slug="clinic")
    for number in range(1, 4):
        make_version(agent, name=f"Change {number}", system_prompt=f"Prompt {number}.")
    make_live(version=agent.versions.get(number=2), actor=agent.created_by)
    return agent


@pytest.fixture
def numbers(agent: Agent) -> list[Channel]:
    """On the draft, on Live, and two on an old version."""
    old = single(Target("clinic", Follow.VERSION, 1))
    plans = [single(Target("clinic")), single(Target("clinic", Follow.LIVE)), old, old]
    return [make_channel(agent, plan=plan) for plan in plans]


def answers(numbers: list[Channel]) -> list[str]:
    return [str(Channel.objects.with_route().get(pk=number.pk).route) for number in numbers]


def test_many_numbers_are_changed_and_the_toast_undoes_it(page_as: PageAs, numbers: list[Channel]) -> None:
    before = answers(numbers)
    page = page_as(make_user("operator"))
    page.goto("/channels/")
    page.get_by_role("link", name="Fleet", exact=True).click()
    expect(page.get_by_role("heading", level=3)).to_have_text(
        ["A draft answers", "An old version answers", "Live, or the newest version"]
    )
    page.get_by_label("Choose all numbers on clinic Draft").check()
    page.get_by_label("Choose all numbers on clinic V1").check()
    page.get_by_role("button", name="Change the chosen").click()
    page.get_by_label("Agent").select_option("clinic")
    page.get_by_label("What of it answers").select_option(label="V3 · Change 3")
    page.get_by_label("Reason").fill("Release")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("row")).to_have_count(4)
    assert answers(numbers) == before
    page.get_by_role("button", name="Change 3 numbers").click()
    expect(page.locator("#toasts")).to_contain_text("3 numbers to clinic V3.")
    assert answers(numbers) == ["clinic V3", "clinic Live", "clinic V3", "clinic V3"]

    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone: 3 numbers to clinic V3.")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#fleet").get_by_role("heading", name="A draft answers")).to_be_visible()
    expect(page.locator("#fleet")).to_contain_text("Undone")
    assert answers(numbers) == before


def test_the_bad_hour_is_taken_back(page_as: PageAs, agent: Agent, numbers: list[Channel]) -> None:
    before = answers(numbers)
    operator = make_user("operator", time_zone="Asia/Tokyo")
    since = datetime.fromisoformat(moment_in(operator.time_zone))
    for number in numbers[:2]:
        pin(channel=number, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)
    page = page_as(operator)
    page.goto("/channels/fleet/")
    page.get_by_role("link", name=re.compile("Take back everything")).click()
    page.get_by_label("Since, in your time zone (Asia/Tokyo)").fill(since.isoformat(timespec="seconds"))
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", name="2 numbers would answer as then")).to_be_visible()
    page.get_by_label("Reason").fill("The bad hour")
    page.get_by_role("button", name="Take back 2 numbers").click()
    expect(page.locator("#toasts")).to_contain_text("taken back")
    assert answers(numbers) == before


def moment_in(time_zone: str) -> str:
    """A second from now by the database's clock, as a person in that zone reads it; the form knows whole seconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.1), to_char(now() AT TIME ZONE %s, 'YYYY-MM-DD\"T\"HH24:MI:SS')", [time_zone])
        _, text = cursor.fetchone()
    return (datetime.fromisoformat(text) + timedelta(seconds=1)).isoformat()


def test_after_publishing_it_goes_live_or_onto_numbers(page_as: PageAs, agent: Agent, numbers: list[Channel]) -> None:
    page = page_as(agent.created_by)
    publish(page, "Fourth")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Where does V4 go?")).to_be_visible()
    dialog.get_by_label(numbers[2].shown).check()
    dialog.get_by_role("button", name="Pin V4 on the chosen").click()
    expect(page.locator("#toasts")).to_contain_text("1 number to clinic V4.")
    expect(dialog).to_be_hidden()
    assert answers(numbers)[2:] == ["clinic V4", "clinic V1"]

    page.get_by_role("link", name=re.compile("^Versions")).click()
    page.locator("#panel a[href='/agents/clinic/versions/4/live/']").click()
    expect(dialog).to_contain_text("1 channel follows Live and moves")
    expect(dialog).to_contain_text("System prompt")
    dialog.get_by_role("button", name="Make V4 live").click()
    expect(page.locator("#toasts")).to_contain_text("V4 “Fourth” is live. New calls hear it now.")

    page.get_by_role("link", name="Roll back to V2").click()
    dialog.get_by_label("Reason").fill("Complaints")
    dialog.get_by_role("button", name="Roll back to V2").click()
    expect(page.locator("#toasts")).to_contain_text("Rolled back to V2")
    assert str(live_version(agent)) == "V2"
    page.goto("/agents/clinic/live/history/")
    expect(page.get_by_role("listitem").filter(has_text="Rolled back to")).to_contain_text("Complaints")


def publish(page: Page, name: str) -> None:
    page.goto("/agents/clinic/")
    page.get_by_label("System prompt").click()
    page.locator("#dialog").get_by_role("button", name="Edit at once").click()
    page.get_by_label("System prompt").fill("You answer at night.")
    page.get_by_role("link", name="Publish version").click()
    page.locator("#dialog").get_by_label("Name").fill(name)
    page.locator("#dialog").get_by_role("button", name="Publish V4").click()


def test_edits_wait_when_the_first_one_is_asked_for_and_are_applied_together(
    page_as: PageAs, agent: Agent, numbers: list[Channel]
) -> None:
    page = page_as(agent.created_by)
    page.goto("/agents/clinic/")
    notice = page.locator("#draft-followers")
    expect(notice).to_contain_text("1 live channel follows this draft: every edit reaches callers at once.")
    page.get_by_label("System prompt").click()
    page.locator("#dialog").get_by_role("button", name="Let edits wait for Apply").click()
    expect(notice).to_contain_text("callers hear exactly this; new edits wait for Apply")
    heard = applied_draft(agent)
    page.get_by_label("System prompt").fill("You answer at night.")
    expect(notice).to_contain_text("1 edit waits")
    assert applied_draft(agent) == heard
    page.get_by_label("Welcome message").fill("Good evening")
    notice.get_by_role("button", name="Apply 1 edit").click()  # with what was typed a moment ago
    expect(notice).to_contain_text("callers hear exactly this")
    applied = applied_draft(agent)
    assert applied is not None
    assert applied.load().welcome_message == "Good evening"


def test_the_warning_and_the_choice_work_with_scripts_off(
    page_as: PageAs, agent: Agent, numbers: list[Channel]
) -> None:
    page = page_as(agent.created_by, java_script_enabled=False)
    page.goto("/agents/clinic/")
    page.get_by_role("link", name="Who hears this draft, and when?").click()
    expect(page.get_by_role("note")).to_contain_text("every edit reaches callers at once")
    page.get_by_role("button", name="Let edits wait for Apply").click()
    assert applied_draft(agent) is not None
