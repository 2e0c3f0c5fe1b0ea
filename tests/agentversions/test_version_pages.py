"""Version panel, version page and draft history: complete, searchable, as quick with 10,000 versions as with 10."""

import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.core.edits import Edit
from agentversions.models import Agent, AgentVersion
from agentversions.services.deployments import make_live
from agentversions.services.drafts import edit_draft
from agentversions.services.publishing import restore_version
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def panel(client: Client, agent: Agent, **query: Any) -> str:
    return client.get(f"/agents/{agent.slug}/versions/", query, headers=HTMX).content.decode()


def publish_many(agent: Agent, count: int) -> None:
    AgentVersion.objects.bulk_create(
        AgentVersion(
            agent=agent,
            number=number,
            name=f"Change {number}",
            configuration_id=agent.draft_id,
            created_by=agent.created_by,
        )
        for number in range(1, count + 1)
    )


def test_the_panel_shows_the_draft_on_top_and_versions_newest_first(client: Client) -> None:
    agent = make_agent()
    first = make_version(agent, name="First one")
    make_live(version=first, actor=make_user("operator"))
    make_version(agent, name="Second one", welcome_message="Hi")
    restore_version(version=first, actor=agent.created_by)
    client.force_login(make_user())
    text = panel(client, agent)
    assert text.index("Draft") < text.index("Second one") < text.index("First one")
    assert "Live" in text
    assert "once" in text
    assert first.configuration_id[:8] in text
    assert "1 change" in text


def test_readers_see_no_restore_button(client: Client) -> None:
    agent = make_agent()
    make_version(agent)
    client.force_login(make_user("viewer"))
    assert "/restore/" not in panel(client, agent)


def test_search_finds_names_and_descriptions(client: Client) -> None:
    agent = make_agent()
    make_version(agent, name="French prompt")
    make_version(agent, name="Slower turns", welcome_message="Hi")
    client.force_login(make_user())
    found = client.get(f"/agents/{agent.slug}/versions/list/", {"q": "prompt french"}, headers=HTMX).content.decode()
    assert "French prompt" in found
    assert "Slower turns" not in found


def test_ten_thousand_versions_take_the_same_queries_as_ten_and_come_fifty_at_a_time(client: Client) -> None:
    small, big = make_agent(), make_agent()
    publish_many(small, 10)
    publish_many(big, 10_000)
    client.force_login(make_user())
    counts = []
    for agent in (small, big):
        panel(client, agent)
        with CaptureQueriesContext(connection) as captured:
            started = time.perf_counter()
            text = panel(client, agent)
            seconds = time.perf_counter() - started
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12
    assert "Change 9951" in text
    assert "Change 9950" not in text
    assert seconds < 1.0  # far above what it takes: the bench holds the bar
    older = client.get(f"/agents/{big.slug}/versions/list/", {"before": "9951"}, headers=HTMX).content.decode()
    assert "Change 9950" in older
    assert "Change 9951" not in older


def test_an_agent_without_versions_says_what_to_do(client: Client) -> None:
    client.force_login(make_user())
    assert "Publish" in panel(client, make_agent())


def test_the_version_page_shows_everything_as_text_and_how_to_verify(client: Client) -> None:
    agent = make_agent(system_prompt="<script>alert(1)</script> {% load x %} \x1b[31mred")
    version = make_version(agent, name="<b>Bold</b>")
    client.force_login(make_user("viewer"))
    page = client.get(f"/agents/{agent.slug}/versions/1/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "{% load x %}" in page
    assert "<b>Bold" not in page
    assert "sha256sum" in page
    assert version.configuration_id in page
    assert "transfer_to_human" in page


@pytest.mark.parametrize("number", ["2", "0", "99999999999999999999"])
def test_a_version_that_does_not_exist_is_not_found(client: Client, number: str) -> None:
    agent = make_agent()
    make_version(agent)
    client.force_login(make_user())
    assert client.get(f"/agents/{agent.slug}/versions/{number}/").status_code == 404


def test_the_history_lists_every_state_by_sitting_with_its_reason(client: Client) -> None:
    agent, other = make_agent(), make_user(username="mira")
    version = make_version(agent)
    for actor, text in ((agent.created_by, "One"), (other, "Two"), (other, "Three")):
        edits = (Edit("set", "welcome_message", text),)
        agent = edit_draft(agent=agent, base=agent.draft_id, edits=edits, actor=actor).agent
    restore_version(version=version, actor=other)
    client.force_login(make_user("viewer"))
    page = client.get(f"/agents/{agent.slug}/draft/history/").content.decode()
    assert "Restored V1" in page
    assert "mira" in page
    assert agent.draft_id[:8] in page
    assert "take-back" not in page


def test_two_picked_rows_are_compared_with_the_older_as_base(client: Client) -> None:
    agent = make_agent()
    make_version(agent)
    make_version(agent, welcome_message="Hi")
    client.force_login(make_user("viewer"))
    answer = client.get(f"/agents/{agent.slug}/versions/compare/", {"pick": ["2", "1"]})
    assert answer.headers["Location"] == f"/agents/{agent.slug}/compare/1...2/"
    assert client.get(f"/agents/{agent.slug}/versions/compare/", {"pick": ["2"]}).status_code == 302


@pytest.mark.parametrize("path", ["versions/", "versions/1/", "versions/list/", "draft/history/"])
def test_strangers_sign_in_unknown_agents_are_not_found_and_nothing_is_posted(client: Client, path: str) -> None:
    agent = make_agent()
    make_version(agent)
    assert client.get(f"/agents/{agent.slug}/{path}").headers["Location"].startswith("/accounts/login/")
    client.force_login(make_user("viewer"))
    assert client.get(f"/agents/{agent.slug}/{path}").status_code == 200
    assert client.get(f"/agents/nobody/{path}").status_code == 404
    assert client.post(f"/agents/{agent.slug}/{path}").status_code in (403, 405)
