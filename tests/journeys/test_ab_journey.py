"""The ops person's A/B test in a real browser: how long it will take, then what came of it."""

import re

import pytest
from playwright.sync_api import expect

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.services.channels import find_channel
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.journeys.conftest import PageAs
from tests.journeys.test_accessibility import AXE, LOOK
from tests.monitoring.ab import ADDRESS, seeded, take_calls

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(make_user("editor", "operator"), slug="clinic")
    for number in (1, 2):
        make_version(agent, name=f"Change {number}", system_prompt=f"Prompt {number}.")
    return agent


@pytest.fixture
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run python -m config.frontend.")
    return AXE.read_text(encoding="utf-8")


def test_a_test_is_planned_started_and_read(page_as: PageAs, agent: Agent, axe: str) -> None:
    make_channel(agent, address=ADDRESS)
    now = database_now()
    known = [
        {"id": f"known-{at}", "called": ADDRESS, "started_at": now, "duration_s": 60, "engaged": True,
         "transferred": at % 4 == 0}
        for at in range(200)
    ]  # fmt: skip
    ingest([read_record(each) for each in known], source="api")
    page = page_as(make_user("operator"))
    page.goto(f"/channels/{ADDRESS}/")
    page.get_by_role("button", name="A/B test").click()
    plan = page.locator("[data-route-form] [aria-live=polite]")
    expect(plan).to_contain_text("Give each variant a share")
    page.get_by_label("Version", exact=True).nth(0).select_option(label="V1 · Change 1")
    page.get_by_label("Version", exact=True).nth(1).select_option(label="V2 · Change 2")
    page.get_by_label("Share", exact=True).nth(0).fill("60")
    page.get_by_label("Share", exact=True).nth(1).fill("40")
    expect(plan).to_contain_text("200 calls a day on this number and an automation rate of 75.0 %")
    expect(plan).to_contain_text(re.compile(r"3-point difference takes about [\d,]+ days"))
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".route-now")).to_contain_text("A/B")
    results = page.locator("#ab-results")
    expect(results).to_contain_text("Results so far")
    expect(results).to_contain_text("0 calls")

    channel = find_channel(ADDRESS)
    names = [variant.name for variant in channel.route.plan.variants]
    take_calls(
        agent, channel, range(500), says=lambda variant, n: seeded(variant, n, **{names[0]: 0.45, names[1]: 0.1})
    )
    page.reload()
    expect(results).to_contain_text("The split is as planned")
    expect(results).to_contain_text("of 500 callers")
    expect(results).to_contain_text("Clear of chance")
    results.get_by_text("What these figures mean").click()
    expect(results).to_contain_text("however often one looks")
    page.goto(f"/analytics/ab/{ADDRESS}/")
    page.get_by_text("What these figures mean").click()
    page.evaluate(axe)
    for theme in ("light", "dark"):
        assert page.evaluate(LOOK, {"theme": theme, "rules": [], "without": ""}) == []
    page.goto(f"/channels/{ADDRESS}/")
    results.get_by_role("link", name=f"calls of {names[1]}").click()
    expect(page.locator("#calls")).to_contain_text(f"Variant: {names[1]}")
    expect(page.locator("#calls tbody tr").first).to_contain_text("V2")
