"""Real browser: calls filtered by version, opened, compared and exported; a change planned and called off."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.models import Channel, ScheduledChange
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(make_user("editor", "operator", username="berta"), slug="clinic")
    for number in (1, 2):
        make_version(agent, name=f"Change {number}", system_prompt=f"Prompt {number}.")
    return agent


def test_calls_are_filtered_opened_compared_and_exported(page_as: PageAs, agent: Agent, tmp_path: Path) -> None:
    now = database_now()
    documents = [
        {
            "id": f"call-{at}",
            "agent": "clinic",
            "version": 1 + at % 2,
            "started_at": now - timedelta(minutes=at),
            "duration_s": 100,
            "engaged": True,
            "transferred": at % 2 == 0 and at % 3 == 0,
            "transcript": [{"role": "user", "text": f"I am caller {at}"}],
        }
        for at in range(300)
    ]
    ingest([read_record(document) for document in documents], source="api")
    page = page_as(make_user("viewer"))
    page.goto("/agents/")
    page.get_by_role("link", name="Calls", exact=True).click()
    expect(page.locator("#calls")).to_contain_text("300 calls")
    page.get_by_label("Agent", exact=True).select_option("clinic")
    page.get_by_role("button", name="Show these calls").click()
    page.get_by_label("V2 · Change 2").check()
    page.get_by_role("button", name="Show these calls").click()
    expect(page.locator("#calls")).to_contain_text("150 calls")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Newer").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    download.value.save_as(tmp_path / "calls.csv")
    lines = list(csv.reader((tmp_path / "calls.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert (len(lines), lines[0]) == (152, ["Calls: version V2; agent clinic"])

    page.locator("#calls tbody a").first.click()
    expect(page.get_by_text("I am caller 1", exact=True)).to_be_visible()
    page.get_by_role("link", name="V2 “Change 2”").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Change 2")

    page.get_by_role("link", name="Analytics", exact=True).click()
    page.get_by_label("Agent", exact=True).select_option("clinic")
    page.get_by_role("button", name="Show").click()
    card = page.locator("section", has=page.get_by_role("heading", name="Automation rate"))
    expect(card).to_contain_text("100.0 %")
    expect(card).to_contain_text("Clear of chance")


def test_a_change_is_planned_on_a_numbers_page_and_cancelled(page_as: PageAs, agent: Agent) -> None:
    channel: Channel = make_channel(agent, address="+33198765432", time_zone="Europe/Paris")
    page = page_as(agent.created_by)
    page.goto(f"/channels/{channel.address}/")
    page.get_by_label("Version", exact=True).select_option(label="V2 · Change 2")
    page.get_by_text("At a later time").click()
    page.get_by_label("Day and time").fill("2020-01-01T10:00")
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_text("That moment has passed")).to_be_visible()
    at = (database_now() + timedelta(days=2)).strftime("%Y-%m-%dT18:00")
    page.get_by_label("Day and time").fill(at)
    page.get_by_label("Reason").fill("Holiday line")
    page.get_by_role("button", name="Plan it").click()
    expect(page.locator("#toasts")).to_contain_text("It can be cancelled until it happens.")
    change = ScheduledChange.objects.get()
    assert str(change.route) == "clinic V2"
    page.get_by_role("link", name="Schedule", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#schedule")).to_contain_text("Nothing is planned")
    expect(page.locator("#schedule")).to_contain_text("Cancelled")
