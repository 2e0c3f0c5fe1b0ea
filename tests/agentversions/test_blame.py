"""The blame page: each line of a prompt beside the version that brought it, bounded for any number of versions."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from agentversions.models import Agent
from agentversions.services import blame as blame_service
from agentversions.services.blame import blame_prompt
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    """Three versions of a prompt by three people."""
    ann, ben, eve = (make_user(username=name) for name in ("ann", "ben", "eve"))
    made = make_agent(ann, system_prompt="Be kind.\nSpeak slowly.\n")
    make_version(made, ann, name="Start")
    make_version(made, ben, name="Dates", system_prompt="Be kind.\nConfirm each date.\nSpeak slowly.\n")
    made.refresh_from_db()
    make_version(made, eve, name="Voice", voice={"voice": "Charlotte"})
    make_version(made, eve, name="Kinder", system_prompt="Be very kind.\nConfirm each date.\nSpeak slowly.\n")
    return made


def opened(agent: Agent, number: int, *roles: str) -> Any:
    client = Client()
    client.force_login(make_user(*(roles or ("viewer",))))
    return client.get(reverse("agentversions:version_blame", args=[agent.slug, number]))


def owners(agent: Agent, number: int) -> list[tuple[str, str, str]]:
    blamed = blame_prompt(agent.versions.get(number=number))
    return [
        (line.text, str(part.version), part.version.created_by.username) for part in blamed.parts for line in part.lines
    ]


def test_each_line_has_the_version_that_brought_it_and_its_author(agent: Agent) -> None:
    assert owners(agent, 4) == [
        ("Be very kind.", "V4", "eve"),
        ("Confirm each date.", "V2", "ben"),
        ("Speak slowly.", "V1", "ann"),
    ]


def test_an_earlier_version_knows_nothing_of_later_ones(agent: Agent) -> None:
    assert [owner for _, owner, _ in owners(agent, 1)] == ["V1", "V1"]


def test_a_version_that_left_the_prompt_alone_brought_nothing(agent: Agent) -> None:
    assert "V3" not in [owner for _, owner, _ in owners(agent, 4)]


def test_a_prompt_that_came_back_is_brought_by_the_version_that_brought_it_back(agent: Agent) -> None:
    make_version(agent, name="Empty", system_prompt="Nothing of it.\n")
    make_version(agent, name="Back", system_prompt="Be very kind.\n")
    assert owners(agent, 6) == [("Be very kind.", "V6", agent.created_by.username)]


def test_the_page_names_version_author_and_what_it_changed(agent: Agent) -> None:
    response = opened(agent, 4)
    page = response.content.decode()
    assert response.status_code == 200
    for words in ("Confirm each date.", "Dates", "ben", f"/agents/{agent.slug}/compare/1...2/"):
        assert words in page


def test_the_search_is_bounded_and_says_so(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blame_service, "VERSIONS_LOOKED_AT", 2)
    blamed = blame_prompt(agent.versions.get(number=4))
    assert blamed.looked_back_to == 3
    assert [(part.version.number, part.is_older) for part in blamed.parts] == [(4, False), (3, True)]
    page = opened(agent, 4).content.decode()
    assert "Looked back to V3" in page
    assert "or older" in page


@pytest.mark.parametrize(("limit", "value"), [("PROMPTS_LOOKED_AT", 1), ("CHARACTERS_LOOKED_AT", 0)])
def test_few_prompts_and_characters_are_read(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(blame_service, limit, value)
    assert blame_prompt(agent.versions.get(number=4)).looked_back_to == 4


def test_an_empty_prompt_is_said_to_be_empty() -> None:
    agent = make_agent(
        make_user(), kind="workflow", system_prompt="", workflow={"nodes": [{"id": "a"}], "edges": []}, tools=[]
    )
    make_version(agent)
    assert "V1 has no system prompt" in opened(agent, 1).content.decode()


def test_more_versions_need_no_more_queries(
    agent: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        make_version(agent, name=f"More {number}", system_prompt=f"Be kind {number}.\n")
    version = agent.versions.select_related("agent").get(number=14)
    with django_assert_max_num_queries(3):
        blame_prompt(version)


def test_an_unknown_version_is_not_found_with_words(agent: Agent) -> None:
    response = opened(agent, 99)
    assert response.status_code == 404
    assert "has no version 99" in response.context["exception"]


def test_nobody_without_a_role_reads_it_and_nobody_posts_to_it(agent: Agent) -> None:
    address = reverse("agentversions:version_blame", args=[agent.slug, 1])
    person = make_user()
    person.roles = []
    person.save(update_fields=["roles"])
    client = Client()
    assert client.get(address).status_code == 302
    client.force_login(person)
    assert client.get(address).status_code == 403
    client.force_login(make_user("editor"))
    assert client.post(address).status_code == 405
