"""The list of agents and what can be done with one as a whole, through the browser's eyes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from agentversions.core.problems import blocking, find_problems
from agentversions.models import Agent
from agentversions.services import agents
from agentversions.services.agent_list import list_folders
from agentversions.services.agents import archive_agent
from agentversions.services.deployments import make_live
from agentversions.starters import starters
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
LIST = "/agents/"
DIALOGS = ["agent_duplicate_dialog", "agent_folder_dialog", "agent_archive_dialog"]


def signed_in(client: Client, *roles: str) -> Client:
    client.force_login(make_user(*roles))
    return client


def test_the_list_shows_versions_live_and_a_draft_that_differs(client: Client) -> None:
    agent = make_agent(name="Clinic", folder="Care/Phone")
    make_live(version=make_version(agent, name="First"), actor=make_user("operator"))
    make_version(agent, name="Second", welcome_message="Hi")
    make_agent(name="Fresh")
    page = signed_in(client, "viewer").get(LIST).content.decode()
    assert "Live V1" in page
    assert "Second" in page
    assert "Never published" in page
    assert "Draft differs" not in page


def test_search_finds_every_word_and_folders_hold_what_is_below(client: Client) -> None:
    make_agent(name="Clinic by night", folder="Care/Phone")
    make_agent(name="Bank")
    signed_in(client, "viewer")
    assert "Clinic by night" in client.get(LIST, {"q": "night care"}).content.decode()
    assert "No agent matches" in client.get(LIST, {"q": "night bank"}).content.decode()
    found = client.get(LIST, {"folder": "Care"}, headers={"HX-Request": "true"}).content.decode()
    assert "Clinic by night" in found
    assert "Bank" not in found
    assert "<html" not in found


def test_the_list_takes_as_many_queries_for_60_agents_as_for_one(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client, "viewer")
    actor = make_user()
    make_version(make_agent(actor))
    with django_assert_num_queries(5):
        client.get(LIST)
    for number in range(60):
        make_version(make_agent(actor, name=f"Agent {number}", folder=f"F{number % 7}"))
    with django_assert_num_queries(5):
        client.get(LIST)


def test_an_empty_list_says_what_to_do(client: Client) -> None:
    assert "Start from a template" in signed_in(client).get(LIST).content.decode()


@pytest.mark.parametrize("key", [each.key for each in starters()])
def test_every_template_becomes_an_agent(client: Client, key: str) -> None:
    signed_in(client)
    answer = client.post("/agents/new/", {"name": "Mine", "folder": " A / B ", "starter": key})
    agent = Agent.objects.get()
    assert answer.headers["Location"] == reverse("agentversions:agent_editor", args=[agent.slug])
    assert (agent.name, agent.folder) == ("Mine", "A/B")


def test_every_template_but_the_blank_one_can_be_published_at_once() -> None:
    ready = {each.key for each in starters() if not blocking(find_problems(each.configuration))}
    assert ready == {"receptionist", "survey", "order-taking", "faq-chat"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "", "starter": "blank"}, "Give the agent a name."),
        ({"name": "x" * 300, "starter": "blank"}, "longer than 200 characters"),
        ({"name": "A", "folder": "x" * 300, "starter": "blank"}, "The folder is longer"),
        ({"name": "A", "folder": "kept", "starter": "nothing"}, "Choose what to start from."),
    ],
)
def test_a_wrong_form_says_why_and_keeps_what_was_typed(client: Client, fields: dict[str, str], sentence: str) -> None:
    answer = signed_in(client).post("/agents/new/", fields)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert all(value in page for value in fields.values())
    assert not Agent.objects.exists()


def test_an_agent_called_new_or_import_gets_another_address() -> None:
    assert [make_agent(name=name).slug for name in ("New", "Import")] == ["new-2", "import-2"]


def test_a_duplicate_opens_in_the_editor(client: Client) -> None:
    agent = make_agent()
    answer = signed_in(client).post(
        f"/agents/{agent.slug}/duplicate/", {"name": "Copy", "folder": ""}, headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Redirect"] == "/agents/copy/"


def test_filing_says_where_the_agent_is_now(client: Client) -> None:
    agent = make_agent()
    answer = signed_in(client).post(f"/agents/{agent.slug}/folder/", {"folder": "Care"}, headers={"HX-Request": "true"})
    assert "is in Care now" in answer.content.decode()
    assert "agent-changed" in answer.headers["HX-Trigger"]


def test_an_agent_in_use_is_not_archived_and_its_uses_are_listed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent()
    monkeypatch.setattr(agents, "_use_finders", [lambda used: ["+33 1 98 76 54 32 answers with V3"]])
    answer = signed_in(client).post(f"/agents/{agent.slug}/archive/", {"reason": ""})
    assert answer.status_code == 422
    assert "+33 1 98 76 54 32 answers with V3" in answer.content.decode()
    agent.refresh_from_db()
    assert not agent.is_archived


def test_archived_agents_have_a_list_of_their_own_and_come_back(client: Client) -> None:
    agent = make_agent(name="Old one")
    signed_in(client)
    archived = client.post(f"/agents/{agent.slug}/archive/", {"reason": "Closed"}, follow=True).content.decode()
    assert "Archived “Old one”." in archived
    assert f'action="/agents/{agent.slug}/unarchive/"' in archived
    assert "Old one" not in client.get(LIST).content.decode()
    assert "Old one" in client.get(LIST, {"archived": "1"}).content.decode()
    client.post(f"/agents/{agent.slug}/unarchive/")
    assert "Old one" in client.get(LIST).content.decode()


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs_answer_a_plain_visit_with_the_page_around_them(client: Client, name: str) -> None:
    agent = make_agent()
    address = reverse(f"agentversions:{name}", args=[agent.slug])
    signed_in(client)
    assert "<html" in client.get(address).content.decode()
    assert "<html" not in client.get(address, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs_refuse_readers_unknown_agents_and_other_methods(client: Client, name: str) -> None:
    agent = make_agent()
    address = reverse(f"agentversions:{name}", args=[agent.slug])
    assert signed_in(client, "viewer").get(address).status_code == 403
    assert client.post(address, {"name": "X", "folder": "X"}).status_code == 403
    signed_in(client)
    assert client.get(reverse(f"agentversions:{name}", args=["nobody"])).status_code == 404
    assert client.put(address).status_code == 405
    agent.refresh_from_db()
    assert (agent.folder, agent.is_archived, Agent.objects.count()) == ("", False, 1)


def test_the_list_and_the_new_page_refuse_whom_and_what_they_should(client: Client) -> None:
    nobody = make_user()
    nobody.roles = []
    nobody.save(update_fields=["roles"])
    client.force_login(nobody)
    assert client.get(LIST).status_code == 403
    signed_in(client, "viewer")
    assert client.post(LIST).status_code == 405
    assert client.get("/agents/new/").status_code == 403
    assert "New agent" not in client.get(LIST).content.decode()
    signed_in(client)
    assert client.put("/agents/new/").status_code == 405
    assert client.get("/agents/new/", {"folder": "Care"}).context["form"]["folder"].value() == "Care"
    assert client.get("/agents/new/unarchive/").status_code == 405


@pytest.mark.parametrize("name", ["", "x" * 300, "   "])
def test_a_duplicate_with_a_wrong_name_is_refused_and_the_folder_kept(client: Client, name: str) -> None:
    agent = make_agent()
    answer = signed_in(client).post(f"/agents/{agent.slug}/duplicate/", {"name": name, "folder": "Kept here"})
    assert answer.status_code == 422
    assert "Kept here" in answer.content.decode()
    assert Agent.objects.count() == 1


@pytest.mark.parametrize("query", ["?page=99999", "?page=x", "?page=-1", "?q=%00%25_", "?folder=%00", "?folder=%F0%9F"])
def test_a_strange_address_of_the_list_is_answered(client: Client, query: str) -> None:
    make_agent()
    assert signed_in(client).get(f"{LIST}{query}").status_code == 200


def test_percent_and_underscore_are_letters_of_a_search_not_wildcards(client: Client) -> None:
    make_agent(name="Ten percent")
    assert "No agent matches" in signed_in(client).get(LIST, {"q": "%"}).content.decode()


def test_names_are_shown_as_text(client: Client) -> None:
    make_agent(name="<script>alert(1)</script>{{ x }}", folder="<b>")
    page = signed_in(client).get(LIST).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ x }}" in page
    assert "<b>" not in page


def test_the_second_page_has_the_rest_and_keeps_the_search(client: Client) -> None:
    actor = make_user()
    for number in range(60):
        make_agent(actor, name=f"Agent {number:02}")
    signed_in(client, "viewer")
    page = client.get(LIST, {"q": "agent", "page": "2"}).content.decode()
    assert "51–60 of 60" in page
    assert "?q=agent&amp;page=1" in page
    assert "Agent 59" in page


def test_a_folder_counts_what_lies_below_it() -> None:
    for folder in ("Care/Phone/Night", "Care/Phone", "Care", "Sales"):
        make_agent(folder=folder)
    assert [(each.path, each.depth, each.count) for each in list_folders()] == [
        ("Care", 0, 3),
        ("Care/Phone", 1, 2),
        ("Care/Phone/Night", 2, 1),
        ("Sales", 0, 1),
    ]


@pytest.mark.django_db(transaction=True)
def test_agents_of_one_name_made_in_the_same_moment_all_get_an_address() -> None:
    actor = make_user()

    def make_one(_: int) -> str:
        try:
            return make_agent(actor, name="Twin").slug
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        slugs = set(pool.map(make_one, range(6)))
    assert len(slugs) == 6


def test_an_archived_agent_is_not_filed(client: Client) -> None:
    agent = make_agent()
    archive_agent(agent=agent, actor=agent.created_by)
    answer = signed_in(client).post(f"/agents/{agent.slug}/folder/", {"folder": "X"})
    assert "Bring it back before you change it." in answer.content.decode()
