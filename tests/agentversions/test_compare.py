"""The compare page: any two sides at an address, complete, bounded, and clear about what is not there."""

from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from agentversions.core.text_diff import diff_text
from agentversions.models import Agent
from agentversions.services.deployments import make_live
from agentversions.services.drafts import replace_draft
from tests.factories import make_agent, make_configuration, make_user, make_version

pytestmark = pytest.mark.django_db

PARAGRAPH = "Confirm each date by repeating the weekday and the day of the month.\n"


@pytest.fixture
def agent() -> Agent:
    """An agent with two versions: the second has another prompt, voice and tool."""
    made = make_agent(make_user(username="pm"))
    make_version(made, name="First")
    make_version(
        made,
        name="Slower",
        system_prompt="# Role\nYou answer the phone for the clinic.\n\n# Style\nVery short sentences.\n",
        voice={"provider": "elevenlabs", "voice": "Charlotte"},
        turn_taking={"end_of_speech_wait_ms": 900},
    )
    made.refresh_from_db()
    return made


def address(agent: Agent, base: object, head: object) -> str:
    return reverse("agentversions:version_compare", args=[agent.slug, base, head])


def opened(agent: Agent, base: object, head: object, *, query: str = "", roles: tuple[str, ...] = ("viewer",)) -> Any:
    """The response of the page for a person with these roles."""
    client = Client()
    client.force_login(make_user(*roles))
    return client.get(address(agent, base, head) + query)


def text(response: Any) -> str:
    assert response.status_code == 200
    content: str = response.content.decode()
    return content


def test_the_page_shows_what_changed_between_two_versions(agent: Agent) -> None:
    page = text(opened(agent, 1, 2))
    assert "3 of " in page
    assert "settings changed" in page
    assert "<ins>Very" in page
    assert "Rachel" in page
    assert "Charlotte" in page
    assert "700 ms" in page
    assert "900 ms" in page
    assert "Unchanged: model, knowledge, tools" in page


@pytest.mark.parametrize(
    ("base", "head"), [("1", "draft"), ("draft", "1"), ("live", "2"), ("1", "live"), ("draft", "live")]
)
def test_draft_and_live_are_words_in_the_address(agent: Agent, base: str, head: str) -> None:
    make_live(version=agent.versions.get(number=1), actor=make_user("operator"))
    assert text(opened(agent, base, head))


def test_a_former_draft_state_is_a_side_by_its_digest(agent: Agent) -> None:
    digest = agent.draft_id
    replace_draft(agent=agent, content=make_configuration(welcome_message="Bonjour"), actor=make_user())
    page = text(opened(agent, digest, "draft"))
    assert f"Draft state {digest[:8]}" in page
    assert "Bonjour" in page


def test_another_agents_draft_is_no_side_of_this_agent(agent: Agent) -> None:
    other = make_agent(make_user(), welcome_message="Secret of another team")
    response = opened(agent, other.draft_id, "draft")
    assert response.status_code == 404


@pytest.mark.parametrize("side", ["99", "0", "999999999", "latest", "V1", "a" * 64, "٣"])
def test_a_side_that_does_not_exist_is_not_found_with_words(agent: Agent, side: str) -> None:
    response = opened(agent, side, "draft")
    assert response.status_code == 404
    assert response.context["exception"].startswith(f"“{agent.name}” has no version")


def test_live_without_a_live_version_is_not_found_and_says_so(agent: Agent) -> None:
    response = opened(agent, "live", "draft")
    assert response.status_code == 404
    assert "has no live version yet" in response.context["exception"]


def test_an_unknown_agent_is_not_found() -> None:
    client = Client()
    client.force_login(make_user("viewer"))
    assert client.get(reverse("agentversions:version_compare", args=["nobody", 1, 2])).status_code == 404


def test_nobody_without_a_role_reads_a_comparison(agent: Agent) -> None:
    person = make_user()
    person.roles = []
    person.save(update_fields=["roles"])
    client = Client()
    client.force_login(person)
    assert client.get(address(agent, 1, 2)).status_code == 403


def test_a_visitor_is_sent_to_sign_in(agent: Agent) -> None:
    response = Client().get(address(agent, 1, 2))
    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


def test_the_page_is_only_read(agent: Agent) -> None:
    client = Client()
    client.force_login(make_user("editor"))
    assert client.post(address(agent, 1, 2)).status_code == 405


def test_only_an_editor_is_offered_to_restore(agent: Agent) -> None:
    assert "Restore V1 to draft" in text(opened(agent, 1, 2, roles=("editor",)))
    assert "Restore V1 to draft" not in text(opened(agent, 1, 2))


def test_identical_sides_are_said_to_be_identical(agent: Agent) -> None:
    page = text(opened(agent, 2, "draft"))
    assert "V2 and Draft are identical" in page
    assert agent.draft_id[:8] in page


def test_inline_shows_one_column(agent: Agent) -> None:
    page = text(opened(agent, 1, 2, query="?view=inline"))
    assert 'class="diff diff-inline' in page
    assert "diff-sides" not in page


def test_unchanged_lines_are_folded_and_come_with_the_page(agent: Agent) -> None:
    long = "".join(f"Line {number} stays.\n" for number in range(40))
    make_version(agent, name="Long", system_prompt=f"{long}End.\n")
    make_version(agent, name="Longer", system_prompt=f"{long}The end.\n")
    page = text(opened(agent, 3, 4))
    assert "37 unchanged lines" in page
    assert "Line 3 stays." in page
    unfolded = text(opened(agent, 3, 4, query="?context=all"))
    assert "unchanged lines" not in unfolded
    assert " hidden>" not in unfolded.partition('id="differences"')[2].partition("</table>")[0]


def test_a_long_fold_stays_behind_a_link(agent: Agent) -> None:
    long = "".join(f"Line {number} stays.\n" for number in range(1000))
    make_version(agent, name="Long", system_prompt=f"{long}End.\n")
    make_version(agent, name="Longer", system_prompt=f"{long}The end.\n")
    page = text(opened(agent, 3, 4))
    assert "997 unchanged lines" in page
    assert "Line 500 stays." not in page
    assert "Line 500 stays." in text(opened(agent, 3, 4, query="?context=all&rows=all"))


def test_a_text_with_too_many_changed_rows_is_cut_with_a_way_to_all(agent: Agent) -> None:
    make_version(agent, name="Old", system_prompt="".join(f"Old sentence {n}.\n\n" for n in range(2000)))
    make_version(agent, name="New", system_prompt="".join(f"Neuer Satz Nummer {n} hier.\n\n" for n in range(2000)))
    page = text(opened(agent, 3, 4))
    assert "more rows: show all" in page
    assert "more rows" not in text(opened(agent, 3, 4, query="?rows=all&context=all"))


def test_a_moved_paragraph_is_linked_in_both_places(agent: Agent) -> None:
    rest = "".join(f"Rule {n} is short and clear.\n" for n in range(6))
    make_version(agent, name="Top", system_prompt=PARAGRAPH + rest)
    make_version(agent, name="Bottom", system_prompt=rest + PARAGRAPH)
    for query in ("", "?view=inline"):
        page = text(opened(agent, 3, 4, query=query))
        assert "moved to line 7" in page
        assert "moved from line 1" in page
        assert page.count('id="at-system_prompt--from-1"') == page.count('href="#at-system_prompt--from-1"') == 1


def test_everything_shows_settings_that_are_the_same(agent: Agent) -> None:
    assert "Speaking speed" not in text(opened(agent, 1, 2))
    assert "Speaking speed" in text(opened(agent, 1, 2, query="?show=everything"))


def test_tools_are_matched_by_name(agent: Agent) -> None:
    tools = [{"name": name, "endpoint": f"https://{name}.example"} for name in ("alpha", "beta", "gamma")]
    make_version(agent, name="Three tools", tools=tools)
    changed = [{"name": "delta", "endpoint": "https://delta.example"}, tools[2], {**tools[0], "timeout_s": 5}]
    make_version(agent, name="Other tools", tools=changed)
    page = text(opened(agent, 3, 4))
    for words in (
        "Tool alpha",
        "timeout 20 → 5 s",
        "Tool beta",
        "removed",
        "Tool delta",
        "added",
        "put in another order",
    ):
        assert words in page


def test_a_workflow_is_drawn_with_what_was_added_removed_and_changed(agent: Agent) -> None:
    nodes = [{"id": "start", "label": "Greeting"}, {"id": "old", "label": "Old step"}]
    make_version(
        agent, name="Flow", workflow={"nodes": nodes, "edges": [{"id": "e1", "source": "start", "target": "old"}]}
    )
    nodes = [{"id": "start", "label": "Greeting", "prompt": "Say hello."}, {"id": "new", "label": "New step"}]
    make_version(
        agent, name="Flow 2", workflow={"nodes": nodes, "edges": [{"id": "e1", "source": "start", "target": "new"}]}
    )
    page = text(opened(agent, 3, 4))
    assert "1 node added, 1 removed, 1 changed; 1 edge added, 1 removed" in page
    for kind in ("added", "removed", "changed"):
        assert f'class="node {kind}"' in page
    assert 'href="#at-workflow.nodes:5b:start:5d:"' in page


def test_the_page_says_when_words_were_not_compared_completely(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentversions.core.changes.diff_text", partial(diff_text, time_limit_s=0))
    assert "too long and too different to compare word by word" in text(opened(agent, 1, 2))


def test_an_unknown_side_gets_a_page_with_the_sentence_and_a_way_on(agent: Agent) -> None:
    page = opened(agent, 99, "draft").content.decode()
    assert "has no version 99" in page
    assert reverse("agentversions:agent_list") in page


def test_markup_in_a_prompt_is_text(agent: Agent) -> None:
    make_version(agent, name="Hostile", system_prompt="<script>alert(1)</script> {% now %} \x1b[31mred")
    page = text(opened(agent, 2, 3))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_the_choice_of_sides_leads_to_their_address(agent: Agent) -> None:
    client = Client()
    client.force_login(make_user("viewer"))
    choice = reverse("agentversions:version_compare_choice", args=[agent.slug])
    assert client.get(choice)["Location"] == address(agent, 2, "draft")
    assert client.get(choice, {"base": "1", "head": "2"})["Location"] == address(agent, 1, 2)
    typed = {"base": "draft", "head": "2", "base_number": " V1 ", "view": "inline"}
    assert client.get(choice, typed)["Location"] == address(agent, 1, 2) + "?view=inline"
    assert client.get(choice, {"base": "//evil.example/"})["Location"].startswith("/agents/")


def test_many_versions_make_a_short_list_and_a_box_for_a_number(agent: Agent) -> None:
    for number in range(3, 56):
        make_version(agent, name=f"Change {number}")
    page = text(opened(agent, 1, 55))
    assert page.count("<option") == 2 * (1 + 50 + 1)
    assert 'name="base_number"' in page
    assert '<option value="1" selected>V1 · First</option>' in page


def test_the_page_needs_a_fixed_number_of_queries(
    agent: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.force_login(make_user("editor"))
    with django_assert_max_num_queries(7):
        client.get(address(agent, 1, 2))
