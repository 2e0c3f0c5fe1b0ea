"""The editor's page: every field of the schema in its tab, marks for what differs, who may see and change it."""

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.core.configuration import TABS
from agentversions.core.controls import ItemList, controls_of, lay_out
from agentversions.core.reading import write_document
from agentversions.models import Agent, User
from agentversions.services.agents import archive_agent
from agentversions.services.deployments import make_live
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script> {% templates %} {{ nothing }} \x1b[31mred"


@pytest.fixture
def editor() -> User:
    return make_user("editor")


@pytest.fixture
def agent(editor: User) -> Agent:
    return make_agent(editor, slug="clinic", folder="Voice")


@pytest.fixture
def page(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def address(agent: Agent, tab: str = "prompt") -> str:
    return f"{reverse('agentversions:agent_editor', args=[agent.slug])}?tab={tab}"


def test_the_page_shows_the_draft(page: Client, agent: Agent) -> None:
    html = page.get(address(agent)).content.decode()
    assert "Clinic receptionist" in html
    assert "You answer the phone for the clinic." in html
    assert "Never published" in html
    assert "Voice" in html


def test_an_unknown_agent_is_not_found(page: Client) -> None:
    assert page.get(reverse("agentversions:agent_editor", args=["nobody"])).status_code == 404


def test_who_has_no_role_is_refused(client: Client, agent: Agent) -> None:
    stranger = make_user("viewer")
    User.objects.filter(pk=stranger.pk).update(roles=[])
    client.force_login(stranger)
    assert client.get(address(agent)).status_code == 403


def test_the_page_is_only_for_reading(page: Client, agent: Agent) -> None:
    assert page.post(address(agent)).status_code == 405


def test_every_field_of_the_schema_stands_in_its_tab(page: Client, agent: Agent) -> None:
    pages = {tab.key: page.get(address(agent, tab.key)).content.decode() for tab in TABS}
    document = write_document(agent.draft.load())
    for tab in TABS:
        for block in lay_out(tab, document):
            if isinstance(block, ItemList):
                assert f'data-list="{block.path}"' in pages[tab.key]
            else:
                assert all(f'data-path="{control.path}"' in pages[tab.key] for control in block.controls)
    assert controls_of(document).keys() >= {"model.temperature", "tools[transfer_to_human].timeout_s", "extensions"}


def test_a_field_and_its_tab_are_marked_when_they_differ_from_the_latest_version(page: Client, agent: Agent) -> None:
    make_version(agent, name="First")
    agent.refresh_from_db()
    make_version(agent, name="Second", welcome_message="Good morning")
    page.post(
        reverse("agentversions:draft_save", args=[agent.slug]),
        {"base": Agent.objects.get(pk=agent.pk).draft_id, "tab": "prompt", "field:welcome_message": "Good evening"},
    )
    html = page.get(address(agent)).content.decode()
    assert "Draft has 1 change since V2" in html
    assert 'data-mark="welcome_message"><' in html
    assert 'data-mark="system_prompt" hidden' in html
    assert 'data-tab-mark="prompt" title="Differs from the latest version"><' in html
    assert 'data-tab-mark="voice" title="Differs from the latest version" hidden' in html


def test_the_header_names_the_live_version(page: Client, agent: Agent, editor: User) -> None:
    version = make_version(agent, name="First")
    make_live(version=version, actor=editor)
    html = page.get(address(agent)).content.decode()
    assert "data-live>Live V1</span>" in html
    assert "Draft is the same as V1" in html


def test_a_viewer_reads_without_buttons_that_change(client: Client, agent: Agent) -> None:
    client.force_login(make_user("viewer"))
    html = client.get(address(agent, "tools")).content.decode()
    assert "data-readonly" in html
    assert 'name="action"' not in html
    assert "data-shortcut" not in html


def test_an_archived_agent_is_read_only_and_says_so(page: Client, agent: Agent, editor: User) -> None:
    archive_agent(agent=agent, actor=editor)
    html = page.get(address(agent)).content.decode()
    assert "This agent is archived" in html
    assert "data-readonly" in html


def test_hostile_text_is_shown_as_text(page: Client, editor: User) -> None:
    agent = make_agent(editor, system_prompt=HOSTILE, name="<b>Bold</b>")
    html = page.get(address(agent)).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {% templates %} {{ nothing }}" in html
    assert "<b>Bold" not in html


def test_a_variable_that_nothing_defines_is_named_at_the_prompt(page: Client, editor: User) -> None:
    agent = make_agent(editor, system_prompt="Call {{patient}} at {{time}}.")
    html = page.get(address(agent)).content.decode()
    assert "Nothing defines {{patient}}" in html
    assert "Nothing defines {{time}}" not in html


def test_a_text_that_looks_like_a_key_is_named(page: Client, editor: User) -> None:
    agent = make_agent(editor, system_prompt="Use sk-abcdefghijklmnopqrstuvwx to sign in.")
    assert "seems to hold a key" in page.get(address(agent)).content.decode()


def test_a_text_that_starts_with_an_empty_line_keeps_it(page: Client, editor: User) -> None:
    agent = make_agent(editor, system_prompt="\n\nHello")
    assert ">\n\n\nHello</textarea>" in page.get(address(agent)).content.decode()


def test_the_workflow_is_drawn_beside_its_json(page: Client, editor: User) -> None:
    workflow = {
        "nodes": [{"id": "start", "label": "Greeting"}, {"id": "end", "label": "Goodbye"}],
        "edges": [{"id": "e1", "source": "start", "target": "end", "condition": "done"}],
    }
    agent = make_agent(editor, kind="workflow", workflow=workflow)
    html = page.get(address(agent, "workflow")).content.decode()
    assert "2 steps, 1 ways" in html
    assert ">Greeting</text>" in html
    graph = page.get(reverse("agentversions:workflow_graph", args=[agent.slug]), headers={"HX-Request": "true"})
    assert ">Goodbye</text>" in graph.content.decode()


def test_htmx_gets_the_tab_alone(page: Client, agent: Agent) -> None:
    html = page.get(address(agent, "tools"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert 'data-item="tools[transfer_to_human]"' in html


def test_the_page_needs_no_more_queries_with_more_versions(
    page: Client, agent: Agent, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(5):
        make_version(agent, name=f"Version {number}")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        page.get(address(agent))
