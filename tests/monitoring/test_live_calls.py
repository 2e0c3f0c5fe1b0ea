"""What changes while somebody looks: new calls on the list's first page, calls of an agent as they end."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from agentversions.models import Agent
from monitoring.core.call_filter import CallFilter
from monitoring.core.page_key import read_ids
from monitoring.core.records import read_record
from monitoring.services.call_list import PER_PAGE, count_new, list_calls
from monitoring.services.call_tail import tail_query
from monitoring.services.ingest import ingest
from monitoring.services.time_limit import TookTooLong, at_most
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("viewer"))
    return client


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent, system_prompt="Prompt 1.")
    return agent


def take(*documents: dict[str, Any]) -> None:
    ingest([read_record({"agent": "clinic", "version": 1, **document}) for document in documents], source="api")


def fill(count: int) -> None:
    take(*({"id": f"call-{at}", "started_at": AT + timedelta(minutes=at)} for at in range(count)))


def news_address(page: str) -> str:
    found = re.search(r'hx-get="(/calls/news/[^"]*)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_new_calls_are_counted_wherever_they_stand_on_the_first_page(agent: Agent) -> None:
    fill(60)
    wanted = CallFilter(agent="clinic")
    page = list_calls(wanted)
    shown = {"shown": read_ids(page.ids, most=PER_PAGE), "oldest": page.oldest}
    assert count_new(wanted, **shown) == 0
    take(
        {"id": "newest", "started_at": AT + timedelta(days=1)},
        {"id": "sent late", "started_at": AT + timedelta(minutes=30, seconds=30)},
        {"id": "of last year", "started_at": AT - timedelta(days=300)},
        {"id": "of a draft", "started_at": AT + timedelta(days=1), "version": 0},
    )
    assert count_new(wanted, **shown) == 3
    assert count_new(CallFilter(agent="clinic", versions=("V1",)), **shown) == 2


def test_news_are_said_once_and_the_link_keeps_the_filter(client: Client, agent: Agent) -> None:
    fill(3)
    address = news_address(client.get("/calls/?agent=clinic").content.decode())
    assert client.get(address, headers=HTMX).status_code == 204
    take({"id": "new", "started_at": AT + timedelta(days=1)})
    said = client.get(address, headers=HTMX).content.decode()
    assert "1 new call" in said
    assert 'href="/calls/?agent=clinic"' in said
    assert client.get(news_address(said), headers=HTMX).status_code == 204
    assert client.get(address).headers["Location"] == "/calls/?agent=clinic"


def test_only_the_first_page_of_a_right_filter_asks_for_news(client: Client, agent: Agent) -> None:
    fill(60)
    older = re.search(r'href="(\?[^"]*before=[^"]*)"', client.get("/calls/?agent=clinic").content.decode())
    assert older is not None
    assert "/calls/news/" not in client.get("/calls/" + older[1].replace("&amp;", "&")).content.decode()
    assert "/calls/news/" not in client.get("/calls/?version=V1").content.decode()


def test_a_question_that_takes_too_long_is_stopped_and_not_asked_again(
    client: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TookTooLong), at_most(50), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with at_most(50), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with connection.cursor() as cursor:  # the limit ended with the question
        cursor.execute("SELECT pg_sleep(0.2)")

    def too_slow(*_: Any, **__: Any) -> int:
        raise TookTooLong

    monkeypatch.setattr("monitoring.views.news.count_new", too_slow)
    answer = client.get("/calls/news/?agent=clinic", headers=HTMX)
    assert answer.status_code == 286
    assert "hx-get" not in answer.content.decode()


def test_what_is_no_list_of_calls_is_read_as_none() -> None:
    assert read_ids("1,x,²,,3", most=10) == {1, 3}
    assert read_ids("1,2,3", most=2) == {1, 2}
    assert read_ids("9" * 30, most=2) == frozenset()


def tail_of(client: Client, address: str = "/agents/clinic/calls/live/") -> str:
    return client.get(address, headers=HTMX).content.decode()


def test_the_tail_shows_calls_in_the_order_in_which_they_ended(client: Client, agent: Agent) -> None:
    take(
        {"id": "short", "started_at": AT + timedelta(minutes=2), "duration_s": 10},
        {"id": "long", "started_at": AT, "duration_s": 600},
        {"id": "under way", "started_at": AT + timedelta(minutes=5)},
    )
    first = tail_of(client)
    assert re.findall(r'href="/calls/([^/"]+)/"', first) == ["long", "short"]
    address = re.search(r'hx-get="(/agents/clinic/calls/live/\?seen=[^"]+)"', first)
    assert address is not None
    assert client.get(address[1], headers=HTMX).status_code == 204
    # Ended before the newest one, and came after it.
    take({"id": "late", "started_at": AT, "duration_s": 300})
    assert re.findall(r'href="/calls/([^/"]+)/"', tail_of(client, address[1])) == ["long", "late", "short"]
    take({"id": "long", "sequence": 1, "error": "tool timeout"})
    assert "Error" in tail_of(client, address[1])
    take({"id": "under way", "sequence": 1, "status": "ended"})
    assert "/calls/under%20way/" in tail_of(client, address[1])


def test_the_tail_keeps_twenty_and_is_of_its_agent(client: Client, agent: Agent) -> None:
    make_agent(slug="other")
    take(*({"id": f"call-{at}", "started_at": AT + timedelta(minutes=at), "duration_s": 5} for at in range(30)))
    take({"id": "elsewhere", "agent": "other", "version": 0, "started_at": AT + timedelta(days=2), "duration_s": 5})
    shown = re.findall(r'href="/calls/([^/"]+)/"', tail_of(client))
    assert shown == [f"call-{at}" for at in range(29, 9, -1)]
    whole = client.get("/agents/clinic/calls/live/?seen=x").content.decode()
    assert "<html" in whole
    assert "Reload the page for newer ones." in whole


def test_the_tail_is_read_from_its_index_in_order_without_sorting(agent: Agent) -> None:
    take({"id": "one", "started_at": AT, "duration_s": 5})
    with connection.cursor() as cursor:
        # A table of a few calls is quicker read whole: what is asked is whether the index serves the question.
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
    plan = tail_query(agent).explain()
    assert "coalesce_id_idx on monitoring_call_202611" in plan
    assert "Sort  (" not in plan
