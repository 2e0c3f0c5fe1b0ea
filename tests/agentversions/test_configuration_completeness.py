"""Every field of the schema is on the compare page when it differs, and comes back on restore: one test per field."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.core import changes
from agentversions.core.changes import compare
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.paths import value_at
from agentversions.core.reading import read_document
from agentversions.models import AgentVersion
from agentversions.services.agents import create_agent
from agentversions.services.drafts import replace_draft
from agentversions.services.publishing import publish, restore_version
from tests.completeness import Leaf, gaps_on_page, leaves, sample, two_values
from tests.factories import make_user

pytestmark = pytest.mark.django_db

FIELDS = pytest.mark.parametrize("leaf", list(leaves()), ids=lambda leaf: leaf.path)
PUBLISHABLE = {
    "workflow": {"nodes": [{"id": "item"}], "edges": [{"id": "item", "source": "item", "target": "item"}]},
}


def documents(leaf: Leaf) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two documents that differ in this field only."""
    document = sample(AgentConfiguration, **PUBLISHABLE)
    before, after = two_values(leaf)
    return tuple(apply_edits(document, (Edit("set", leaf.path, value),)) for value in (before, after))  # type: ignore[return-value]


def two_versions(leaf: Leaf, monkeypatch: pytest.MonkeyPatch) -> tuple[AgentVersion, AgentVersion]:
    """Versions of one agent that differ in this field only. What blocks publishing is not what is tested here."""
    monkeypatch.setattr("agentversions.services.publishing.find_problems", lambda content: ())
    actor = make_user("editor")
    before, after = documents(leaf)
    agent = create_agent(content=read_document(before), actor=actor)
    first = publish(agent=agent, name="Before", actor=actor)
    agent = replace_draft(agent=agent, content=read_document(after), actor=actor).agent
    return first, publish(agent=agent, name="After", actor=actor)


def page_of(first: AgentVersion, second: AgentVersion) -> str:
    client = Client()
    client.force_login(first.created_by)
    address = reverse("agentversions:version_compare", args=[first.agent.slug, first.number, second.number])
    page: str = client.get(address).content.decode()
    return page.partition('id="differences"')[2]


def anchor_of(leaf: Leaf) -> str:
    path = leaf.path.rpartition(".")[0] if leaf.is_key else leaf.path
    return changes.Change(path, "changed", None, None, "value").anchor


@FIELDS
def test_a_field_that_differs_is_on_the_compare_page_with_both_values(
    leaf: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_versions(leaf, monkeypatch)
    assert gaps_on_page(page_of(first, second), leaf, anchor_of(leaf)) == []


@FIELDS
def test_a_field_is_in_the_stored_body_and_comes_back_on_restore(leaf: Leaf, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two_versions(leaf, monkeypatch)
    assert value_at(json.loads(first.configuration.body), leaf.path) == two_values(leaf)[0]
    assert first.configuration.digest != second.configuration.digest
    restored = restore_version(version=first, actor=first.created_by).agent
    assert restored.draft_id == first.configuration_id
    assert value_at(restored.draft.load().model_dump(mode="json"), leaf.path) == two_values(leaf)[0]


def test_a_field_that_the_comparison_forgets_fails_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = next(leaf for leaf in leaves() if leaf.path == "turn_taking.silence_message")
    first, second = two_versions(leaf, monkeypatch)
    complete = changes._differences

    def forgetful(*arguments: Any, **options: Any) -> Any:
        return (change for change in complete(*arguments, **options) if "silence_message" not in change.path)

    monkeypatch.setattr(changes, "_differences", forgetful)
    assert gaps_on_page(page_of(first, second), leaf, anchor_of(leaf)) == [
        "turn_taking.silence_message differs, and the compare page has no place for it."
    ]


def test_a_page_that_shows_one_value_only_fails_by_the_fields_name(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = next(leaf for leaf in leaves() if leaf.path == "voice.voice")
    page = page_of(*two_versions(leaf, monkeypatch)).replace("violet voice", "")
    assert gaps_on_page(page, leaf, anchor_of(leaf)) == [
        "voice.voice is on the compare page without its value “violet voice”."
    ]


def test_documents_that_differ_in_one_field_differ_in_no_other() -> None:
    for leaf in leaves():
        before, after = (read_document(document) for document in documents(leaf))
        paths = {change.path for change in compare(before, after).changes}
        assert len(paths) == (2 if leaf.is_key else 1), leaf.path
