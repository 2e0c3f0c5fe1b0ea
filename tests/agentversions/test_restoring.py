"""Restoring copies a pointer back: the exact digest, the replaced draft kept, and one click to undo."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from agentversions.core.edits import Edit
from agentversions.models import Agent, AgentVersion, Configuration
from agentversions.services.drafts import edit_draft
from agentversions.services.errors import DraftMoved, NotPublishable, UnknownVersion
from agentversions.services.publishing import restore_version, take_back_draft
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60)


def edited(agent: Agent, **fields: Any) -> Agent:
    edits = tuple(Edit("set", path, value) for path, value in fields.items())
    return edit_draft(agent=agent, base=agent.draft_id, edits=edits, actor=agent.created_by).agent


def story() -> tuple[Agent, AgentVersion]:
    """An agent whose draft has moved on since its first version."""
    agent = make_agent()
    version = make_version(agent, name="Stable")
    return edited(agent, welcome_message="Moved on"), version


class RestoreLaw(TestCase):
    """Whatever stands in the draft, restoring gives back the exact digest."""

    @settings(deadline=None, max_examples=40)
    @given(st.lists(TEXT, min_size=1, max_size=5), st.integers(0, 4))
    def test_restore_gives_back_the_exact_digest(self, prompts: list[str], chosen: int) -> None:
        agent = make_agent()
        versions = []
        for prompt in prompts:
            agent = edited(agent, system_prompt=f"x{prompt}")
            versions.append(make_version(agent))
        version = versions[chosen % len(versions)]
        restored = restore_version(version=version, actor=agent.created_by).agent
        assert restored.draft_id == version.configuration_id
        assert restored.draft.body == version.configuration.body


def test_the_replaced_draft_stays_in_the_history_and_comes_back() -> None:
    agent, version = story()
    replaced = agent.draft_id
    restored = restore_version(version=version, actor=agent.created_by)
    assert restored.replaced == replaced
    assert agent.history.first().history_change_reason == "Restored V1"
    assert Configuration.objects.filter(digest=replaced).exists()
    back = take_back_draft(
        agent=agent, digest=replaced, expected=version.configuration_id, actor=agent.created_by
    ).agent
    assert back.draft_id == replaced


def test_the_current_draft_is_published_first_in_the_same_transaction() -> None:
    agent, version = story()
    replaced = agent.draft_id
    restored = restore_version(version=version, publish_first_as="Before restoring", actor=agent.created_by)
    assert restored.published is not None
    assert (restored.published.number, restored.published.configuration_id) == (2, replaced)
    assert restored.agent.draft_id == version.configuration_id


def test_a_draft_that_cannot_be_published_first_stops_the_whole_restore() -> None:
    agent, version = story()
    agent = edited(agent, system_prompt="")
    with pytest.raises(NotPublishable):
        restore_version(version=version, publish_first_as="Before", actor=agent.created_by)
    agent.refresh_from_db()
    assert agent.draft_id != version.configuration_id
    assert agent.versions.count() == 1


def test_a_draft_that_moved_on_is_not_replaced_unseen() -> None:
    agent, version = story()
    seen = agent.draft_id
    edited(agent, welcome_message="Newer")
    with pytest.raises(DraftMoved):
        restore_version(version=version, expected=seen, actor=agent.created_by)


def test_only_a_state_of_this_draft_can_be_taken_back() -> None:
    agent, stranger = make_agent(), make_agent(name="Other")
    with pytest.raises(UnknownVersion):
        take_back_draft(agent=agent, digest=stranger.draft_id, actor=agent.created_by)


def test_restoring_an_old_name_renames_and_keeps_the_slug() -> None:
    agent = make_agent(name="Before", slug="clinic")
    version = make_version(agent)
    agent = edited(agent, name="After")
    restored = restore_version(version=version, actor=agent.created_by).agent
    assert (restored.name, restored.slug) == ("Before", "clinic")


def address(agent: Agent, number: int = 1) -> str:
    return f"/agents/{agent.slug}/versions/{number}/restore/"


def test_the_dialog_shows_the_difference_and_says_that_the_name_changes(client: Client) -> None:
    agent = make_agent(name="Before")
    make_version(agent)
    agent = edited(agent, name="After", **{"voice.voice": "Charlotte"})
    client.force_login(make_user())
    page = client.get(address(agent), headers=HTMX).content.decode()
    assert "Charlotte → Rachel" in page
    assert "becomes “<bdi>Before</bdi>”" in page
    assert 'name="publish_first" checked' in page


def test_publishing_first_is_off_and_explained_when_the_draft_has_problems(client: Client) -> None:
    agent, _ = story()
    edited(agent, system_prompt="")
    client.force_login(make_user())
    page = client.get(address(agent), headers=HTMX).content.decode()
    assert "cannot be published first: The system prompt is empty." in page
    assert 'name="publish_first"' not in page


def test_publishing_first_is_not_offered_when_the_draft_is_a_version(client: Client) -> None:
    agent, _ = story()
    make_version(agent, name="Kept")
    client.force_login(make_user())
    page = client.get(address(agent), headers=HTMX).content.decode()
    assert "Kept" in page
    assert 'name="publish_first"' not in page


def test_restoring_and_undoing_through_the_pages(client: Client) -> None:
    agent, version = story()
    replaced = agent.draft_id
    client.force_login(make_user())
    answer = client.post(address(agent), {"expected": replaced}, headers=HTMX)
    assert "version-restored" in answer.headers["HX-Trigger"]
    undo = f"/agents/{agent.slug}/draft/history/{replaced}/take-back/?expected={version.configuration_id}"
    assert undo in answer.content.decode()
    agent.refresh_from_db()
    assert agent.draft_id == version.configuration_id
    client.post(undo, headers=HTMX)
    agent.refresh_from_db()
    assert agent.draft_id == replaced


def test_undo_is_refused_once_somebody_typed_on(client: Client) -> None:
    agent, version = story()
    replaced = agent.draft_id
    restore_version(version=version, actor=agent.created_by)
    agent.refresh_from_db()
    edited(agent, welcome_message="Typed on")
    client.force_login(make_user())
    undo = f"/agents/{agent.slug}/draft/history/{replaced}/take-back/?expected={version.configuration_id}"
    answer = client.post(undo, headers=HTMX)
    assert answer.status_code == 422
    assert "changed since then" in answer.content.decode()


def test_restoring_works_without_scripts(client: Client) -> None:
    agent, version = story()
    client.force_login(make_user())
    form = {"expected": agent.draft_id, "publish_first": "on", "publish_first_name": "Before"}
    answer = client.post(address(agent), form, follow=True)
    assert answer.redirect_chain[0][0] == f"/agents/{agent.slug}/"
    assert "Restored V1" in answer.content.decode()
    agent.refresh_from_db()
    assert agent.draft_id == version.configuration_id
    assert agent.versions.count() == 2


def test_readers_strangers_and_wrong_methods_are_refused(client: Client) -> None:
    agent, _ = story()
    client.force_login(make_user("viewer"))
    assert client.get(address(agent)).status_code == 403
    client.force_login(make_user())
    assert client.get(address(agent, 99)).status_code == 404
    assert client.get(f"/agents/{agent.slug}/draft/history/{'0' * 64}/take-back/").status_code == 404
    assert client.put(address(agent)).status_code == 405
