"""Real browser: calls filtered by version, opened, compared and exported, watched; a change planned and called off."""

import csv
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import expect

from agentversions.models import Agent
from agentversions.models.database import database_now
from agentversions.services.tokens import make_token
from channels.models import Channel, ScheduledChange
from monitoring.core.records import read_record
from monitoring.models import SavedView
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
    page = page_as(make_user("call-reviewer"))
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
    card = page.locator("section", has=page.get_by_role("heading", name="Automation rate", exact=True))
    expect(card).to_contain_text("100.0 %")
    expect(card).to_contain_text("Clear of chance")
    expect(page.get_by_text("met the same numbers").or_(page.get_by_text("did not meet"))).to_be_visible()
    expect(page.locator("[data-chart-canvas] canvas")).to_be_visible()
    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG").click()
    assert picture.value.suggested_filename == "automation-rate-by-day.png"
    page.get_by_role("link", name="Errors", exact=True).click()
    expect(page.get_by_role("heading", name="Errors by day")).to_be_visible()
    page.get_by_role("link", name="V2 published").click()
    expect(page).to_have_url(re.compile(r"/compare/1\.\.\.2/"))


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


def take(*documents: dict[str, object]) -> None:
    """Records of calls that a platform sends over the API while somebody looks."""
    boss = make_user("admin", is_superuser=True)
    made = make_token(name="platform", roles=["viewer"], scopes=["calls"], owner=boss, actor=boss)
    platform = Client(headers={"Authorization": f"Bearer {made.secret}"})
    answer = platform.post("/api/v1/calls", json.dumps(documents), content_type="application/json")
    assert (answer.status_code, answer.json()["refused"]) == (200, [])


def call(name: str, minutes_ago: int = 0, **fields: object) -> dict[str, object]:
    started = database_now() - timedelta(minutes=minutes_ago)
    return {"id": name, "agent": "clinic", "version": 2, "started_at": started.isoformat(), "duration_s": 30, **fields}


def test_filters_are_saved_under_a_name_and_columns_are_chosen(page_as: PageAs, agent: Agent) -> None:
    take(*(call(f"call-{at}", at, error="tool timeout" if at % 2 else False) for at in range(6)))
    berta, carl = page_as(agent.created_by), page_as(make_user("viewer", username="carl"))
    berta.goto("/calls/")
    berta.get_by_label("Agent", exact=True).select_option("clinic")
    berta.get_by_label("Outcome", exact=True).select_option("error")
    berta.get_by_role("button", name="Show these calls").click()
    berta.get_by_text("Saved views").click()
    berta.get_by_role("link", name="Save these filters").click()
    berta.get_by_label("Name").fill("Errors of the clinic")
    berta.get_by_label("Everybody sees it").check()
    berta.get_by_role("button", name="Save", exact=True).click()
    expect(berta.locator("#toasts")).to_contain_text("“Errors of the clinic” is saved.")
    expect(berta.locator(".menu summary").first).to_contain_text("Errors of the clinic")

    carl.goto("/calls/")
    carl.get_by_text("Saved views").click()
    carl.keyboard.press("Escape")
    expect(carl.get_by_role("link", name="Errors of the clinic")).to_be_hidden()
    carl.get_by_text("Saved views").click()
    carl.get_by_role("link", name="Errors of the clinic berta").click()
    expect(carl.locator("#calls")).to_contain_text("3 calls")
    carl.get_by_text("Columns", exact=True).click()
    carl.get_by_label("Column Sentiment").uncheck()
    carl.get_by_label("Column Call id").check()
    carl.get_by_role("button", name="Show these", exact=True).click()
    expect(carl.get_by_role("columnheader", name="Call id")).to_be_visible()
    expect(carl.get_by_role("columnheader", name="Sentiment")).to_have_count(0)
    expect(carl.get_by_role("row")).to_have_count(4)
    expect(carl.locator(".menu summary").first).to_contain_text("Errors of the clinic")

    # Other filters while the view is open: kept in it, then the view is deleted.
    berta.get_by_label("Outcome", exact=True).select_option("")
    berta.get_by_role("button", name="Show these calls").click()
    berta.locator(".menu summary").first.click()
    berta.get_by_role("link", name="Keep these filters in it").click()
    berta.get_by_label("Name").fill("The clinic")
    berta.get_by_role("button", name="Change").click()
    expect(berta.locator("#toasts")).to_contain_text("“The clinic” is changed.")
    expect(berta.locator("#calls")).to_contain_text("6 calls")
    berta.locator(".menu summary").first.click()
    berta.get_by_role("link", name="Delete").click()
    berta.get_by_role("button", name="Delete").click()
    expect(berta.locator("#toasts")).to_contain_text("“The clinic” is deleted.")
    assert not SavedView.objects.exists()


def test_new_calls_are_said_without_moving_the_rows_and_shown_when_asked_for(page_as: PageAs, agent: Agent) -> None:
    take(*(call(f"call-{at}", 1 + at) for at in range(30)))
    page = page_as(make_user("viewer"))
    page.goto("/calls/?agent=clinic")
    before = page.locator("#calls tbody tr").first.bounding_box()
    take(call("elsewhere", agent="unknown-to-us"), call("new"), call("sent late", 2))
    expect(page.get_by_role("link", name="2 new calls")).to_be_visible(timeout=15_000)
    assert page.locator("#calls tbody tr").first.bounding_box() == before
    expect(page.locator("#calls")).to_contain_text("30 calls")
    page.get_by_role("link", name="2 new calls").click()
    expect(page.locator("#calls")).to_contain_text("32 calls")
    expect(page.locator("#calls tbody a").first).to_have_attribute("href", "/calls/new/")
    expect(page.locator("#calls")).to_be_focused()


def test_an_agents_page_shows_its_week_and_its_calls_as_they_end(page_as: PageAs, agent: Agent) -> None:
    take(*(call(f"call-{at}", 60 + at, error=at == 0) for at in range(4)))
    page = page_as(agent.created_by)
    page.goto("/agents/clinic/")
    expect(page.get_by_text("4 calls in 7 days, 25.0 % errors")).to_be_visible()
    page.locator("a[hx-target='#panel']", has_text="Versions").click()
    expect(page.locator("#calls-of-version-2")).to_have_text("4 calls in 7 days, 25.0 % errors")
    expect(page.locator("#calls-of-version-1")).to_have_text("0 calls in 7 days")
    page.get_by_role("button", name="Close the versions").click()

    page.get_by_role("link", name="Watch calls end").click()
    rows = page.locator("#call-tail li")
    expect(rows).to_have_count(4)
    expect(page.get_by_text("New ones come by themselves.")).to_be_visible(timeout=15_000)
    take(call("under way", duration_s=None, status="in_progress"), call("just over", 1, transferred=True))
    expect(rows).to_have_count(5, timeout=15_000)
    expect(rows.first).to_contain_text("Transferred")
    take({"id": "under way", "sequence": 1, "status": "ended", "ended_at": database_now().isoformat()})
    expect(rows).to_have_count(6, timeout=15_000)
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("under way")


def test_nobody_is_asked_while_nobody_looks(page_as: PageAs, agent: Agent) -> None:
    page = page_as(make_user("viewer"))
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "seen=" in request.url else None)
    page.goto("/agents/clinic/calls/live/")
    page.clock.run_for(5_000)
    expect(page.get_by_text("New ones come by themselves.")).to_be_visible()
    assert asked
    page.clock.run_for(10 * 60 * 1000)
    expect(page.get_by_text("Paused: nobody has touched this page for ten minutes.")).to_be_visible()
    asked.clear()
    page.clock.run_for(60_000)
    assert asked == []
    page.mouse.move(200, 200)
    page.clock.run_for(5_000)
    expect(page.get_by_text("New ones come by themselves.")).to_be_visible()
    assert asked
