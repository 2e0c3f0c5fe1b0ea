"""The calls of the last seven days on the pages of agents, versions and numbers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from monitoring.services.week import Week, week_of_agent, week_of_channels, week_of_versions
from tests.factories import make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
NUMBER = "+33198765432"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("viewer"))
    return client


def take(count: int, name: str, **fields: Any) -> None:
    document = {"agent": "clinic", "version": 1, "called": NUMBER, "started_at": NOW - timedelta(days=2), **fields}
    ingest([read_record({"id": f"{name}-{at}", **document}) for at in range(count)], source="api")


def fill() -> None:
    take(5, "first")
    take(3, "second", version=2, error="tool timeout")
    take(2, "draft", version=0)
    take(4, "test", is_test=True)
    take(6, "old", started_at=NOW - timedelta(days=8))


def test_a_week_counts_calls_and_errors_without_tests_and_without_older_ones(agent: Agent) -> None:
    fill()
    assert week_of_agent(agent) == Week(10, 3)
    assert week_of_versions(agent, [2, 1, 0, 9]) == {2: Week(3, 3), 1: Week(5, 0), 0: Week(2, 0), 9: Week()}
    assert week_of_channels([NUMBER, "+33100000000"], most=100) == {NUMBER: Week(10, 3), "+33100000000": Week()}


def test_more_calls_of_a_number_than_are_counted_are_said_to_be_more(agent: Agent, client: Client) -> None:
    take(2, "newest", started_at=NOW - timedelta(minutes=5))
    take(3, "newer", started_at=NOW - timedelta(hours=1), error=True)
    take(2, "older", error=True)
    assert week_of_channels([NUMBER], most=4) == {NUMBER: Week(4, 2, is_exact=False)}
    assert week_of_channels([NUMBER], most=7)[NUMBER].is_exact


def test_the_links_lead_to_the_same_calls(agent: Agent, client: Client) -> None:
    fill()
    channel = make_channel(agent, address=NUMBER)
    for address, count in (
        ("/agents/clinic/calls/", 10),
        ("/agents/clinic/versions/calls/?version=2", 3),
        (f"/calls/of-channels/{NUMBER}/", 10),
        (f"/calls/of-channels/?channel={channel.pk}", 10),
    ):
        said = client.get(address, headers=HTMX).content.decode()
        link = re.search(r'href="(/calls/\?[^"]+)"', said)
        assert link is not None
        assert f"{count} calls" in said
        assert f">{count} calls<" in client.get(link[1].replace("&amp;", "&")).content.decode()


def test_pages_of_other_parts_hold_the_places_and_plain_links(agent: Agent, client: Client) -> None:
    channel = make_channel(agent, address=NUMBER)
    places = {
        "/agents/clinic/": 'hx-get="/agents/clinic/calls/"',
        "/agents/clinic/versions/1/": 'hx-get="/agents/clinic/versions/calls/?version=1"',
        "/agents/clinic/versions/": 'hx-get="/agents/clinic/versions/calls/?version=2&amp;version=1"',
        f"/channels/{NUMBER}/": f'hx-get="/calls/of-channels/{NUMBER}/"',
        "/channels/": f'hx-get="/calls/of-channels/?channel={channel.pk}"',
    }
    for address, place in places.items():
        assert place in client.get(address).content.decode(), address
    for address in ("/agents/clinic/calls/", "/agents/clinic/versions/calls/", f"/calls/of-channels/{NUMBER}/"):
        assert "<html" in client.get(address).content.decode()
    assert client.get("/calls/of-channels/+49/").status_code == 404
    assert client.get("/agents/none/calls/").status_code == 404


def test_two_hundred_versions_cost_as_many_questions_as_one(agent: Agent, client: Client) -> None:
    fill()
    counted = []
    for numbers in ([1], range(1, 201)):
        query = "&".join(f"version={number}" for number in numbers)
        with CaptureQueriesContext(connection) as questions:
            answer = client.get(f"/agents/clinic/versions/calls/?{query}", headers=HTMX)
        counted.append(len(questions))
        assert answer.content.decode().count("hx-swap-oob") == len(numbers)
    assert counted[0] == counted[1] < 8


def test_the_panel_of_many_versions_asks_once_for_each_page_of_rows(agent: Agent, client: Client) -> None:
    for number in range(3, 61):
        make_version(agent, system_prompt=f"Prompt {number}.")
    first = client.get("/agents/clinic/versions/", headers=HTMX).content.decode()
    places = re.findall(r'hx-get="/agents/clinic/versions/calls/\?([^"]+)"', first)
    assert [place.count("version=") for place in places] == [50]
    assert first.count('id="calls-of-version-') == 50
    more = client.get("/agents/clinic/versions/list/?before=11", headers=HTMX).content.decode()
    assert re.findall(r'hx-get="/agents/clinic/versions/calls/\?([^"]+)"', more)[0].count("version=") == 10
