"""The ops person's story in a real browser: pin a number, set a test, and every worker answers so at once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from agentversions.models import Agent
from channels.core.routes import Follow, Target
from channels.models import Channel
from channels.runtime.application import Runtime
from channels.services.routes import pin
from tests.channels.runtime import call, eventually, resolve_token, running
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "/channels/+33198765432/"


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(make_user("editor"), slug="clinic")
    make_version(agent, name="First opening")
    return agent


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432")


@pytest.fixture
def workers(tmp_path: Path, channel: Channel) -> Iterator[list[Runtime]]:
    """Two workers of one instance."""
    with running(tmp_path / "store.sqlite3") as first, running(tmp_path / "store.sqlite3") as second:
        yield [first, second]


def share(page: Page, index: int, text: str) -> None:
    page.get_by_label("Share", exact=True).nth(index).fill(text)


def test_a_pin_and_a_test_are_answered_at_once_by_every_worker(
    page_as: PageAs, channel: Channel, workers: list[Runtime]
) -> None:
    token = resolve_token()

    def answers() -> list[tuple[object, object]]:
        said = [
            call(worker, {"number": channel.address, "caller": "+33612345678", "call_id": "c"}, token=token).json
            for worker in workers
        ]
        return [(each["version"], each["reason"]) for each in said]

    assert answers() == [(None, "STATIC")] * 2
    page = page_as(make_user("operator"))
    page.goto(NUMBER)
    expect(page.get_by_role("note")).to_contain_text("every edit reaches callers at once")
    page.get_by_label("Version", exact=True).select_option(label="V1 · First opening")
    page.get_by_label("Reason").fill("Release")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".route-now")).to_contain_text("V1")
    eventually(lambda: answers() == [(1, "STATIC")] * 2, 1)

    page.get_by_role("button", name="A/B test").click()
    expect(page.get_by_label("Share", exact=True)).to_have_count(2)
    share(page, 0, "60")
    share(page, 1, "39.999")
    expect(page.locator("[data-share-hint]")).to_have_text("0.001 % are still free")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("alert")).to_contain_text("not 100 %")
    page.get_by_role("button", name="Take the rest").last.click()
    expect(page.get_by_label("Share", exact=True).nth(1)).to_have_value("40")
    expect(page.get_by_label("Share", exact=True).nth(0)).to_have_value("60")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".route-now")).to_contain_text("A/B")
    eventually(lambda: {reason for _, reason in answers()} == {"SPLIT"}, 1)

    page.get_by_label("Caller", exact=True).first.fill("06 12 34 56 78")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#explained")).to_contain_text(re.compile(r"Bucket [\d,]+ of 100,000"))


def test_the_second_operator_decides(page_as: PageAs, channel: Channel, agent: Agent) -> None:
    page = page_as(make_user("operator"))
    page.goto(NUMBER)
    first = make_user("operator", username="first")
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=first)
    page.get_by_label("Version", exact=True).select_option("clinic/1")
    page.get_by_label("Reason").fill("Mine")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("alert")).to_contain_text("first changed what answers")
    expect(page.get_by_label("Reason")).to_have_value("Mine")
    expect(page.locator(".route-now")).to_contain_text("by first")
    page.get_by_role("link", name="Take theirs").click()
    expect(page.locator(".route-now")).to_contain_text("V1")


def test_the_first_edit_of_a_draft_that_callers_hear_is_asked_for(
    page_as: PageAs, channel: Channel, agent: Agent
) -> None:
    page = page_as(agent.created_by)
    page.goto("/agents/clinic/")
    expect(page.locator("#draft-followers")).to_contain_text("1 live channel follows this draft")
    page.get_by_label("System prompt").click()
    expect(page.locator("#dialog")).to_contain_text("Callers hear every edit")
    page.get_by_role("button", name="Edit at once").click()
    expect(page.get_by_label("System prompt")).to_be_focused()
    page.reload()
    expect(page.locator("#draft-followers")).to_contain_text("1 live channel follows this draft")
    page.get_by_label("System prompt").click()
    expect(page.locator("#dialog")).to_be_hidden()
