"""Publishing copies a pointer: numbers without gaps, the draft untouched, problems and races said in words."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from agentversions.core.edits import Edit
from agentversions.models import Agent, AgentVersion, AuditEntry
from agentversions.services import publishing
from agentversions.services.agents import archive_agent
from agentversions.services.drafts import edit_draft
from agentversions.services.errors import (
    AgentArchived,
    DraftMoved,
    NameMissing,
    NothingToPublish,
    NotPublishable,
    PublishedMeanwhile,
)
from agentversions.services.publishing import publish
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def address(agent: Agent) -> str:
    return f"/agents/{agent.slug}/publish/"


def answers(agent: Agent, **fields: Any) -> dict[str, Any]:
    latest = agent.versions.count()
    return {"name": "Shorter greeting", "description": "", "expected": agent.draft_id, "latest_seen": latest, **fields}


def test_a_version_points_at_the_draft_and_leaves_it_untouched() -> None:
    agent = make_agent()
    draft, states = agent.draft_id, agent.history.count()
    version = publish(agent=agent, name=" First \n one ", description="Why", actor=agent.created_by)
    agent.refresh_from_db()
    assert (version.number, version.name, version.configuration_id) == (1, "First one", draft)
    assert (agent.draft_id, agent.history.count()) == (draft, states)
    entry = AuditEntry.objects.get(action="version published")
    assert entry.after == {"version": 1, "digest": draft}


@pytest.mark.django_db(transaction=True)
def test_fifty_publishes_at_once_have_fifty_numbers_without_a_gap() -> None:
    agent, errors = make_agent(), []
    people = [make_user() for _ in range(50)]

    def work(number: int) -> None:
        try:
            publish(agent=agent, name=f"By {number}", actor=people[number])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    assert list(agent.versions.order_by("number").values_list("number", flat=True)) == list(range(1, 51))


def test_an_imported_version_keeps_its_date_and_others_get_the_databases() -> None:
    agent, past = make_agent(), datetime(2020, 2, 3, tzinfo=UTC)
    old = publish(agent=agent, name="Old", created_at=past, actor=agent.created_by)
    new = publish(agent=agent, name="New", actor=agent.created_by)
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.created_at == past
    assert new.created_at > past


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "  "}, NameMissing),
        ({"name": "x" * 300}, NameMissing),
        ({"expected": "0" * 64}, DraftMoved),
        ({"latest_seen": 0}, PublishedMeanwhile),
        ({"allow_identical": False}, NothingToPublish),
    ],
)
def test_what_cannot_be_published_is_refused(change: dict[str, Any], error: type[Exception]) -> None:
    agent = make_agent()
    make_version(agent)
    with pytest.raises(error):
        publish(**{"agent": agent, "name": "Again", "actor": agent.created_by, **change})
    assert agent.versions.count() == 1


def test_an_unfinished_draft_and_an_archived_agent_are_not_published() -> None:
    agent = make_agent(tools=[{"name": "send_sms", "description": "Texts"}])
    with pytest.raises(NotPublishable, match="“send_sms” has no address"):
        publish(agent=agent, name="First", actor=agent.created_by)
    archive_agent(agent=agent, actor=agent.created_by)
    with pytest.raises(AgentArchived):
        publish(agent=agent, name="First", actor=agent.created_by)


def test_the_dialog_says_what_changed_in_words_and_suggests_a_description(client: Client) -> None:
    agent = make_agent()
    make_version(agent)
    edits = (Edit("set", "voice.voice", "Charlotte"), Edit("set", "tools[transfer_to_human].timeout_s", 30))
    edit_draft(agent=agent, base=agent.draft_id, edits=edits, actor=agent.created_by)
    client.force_login(make_user())
    page = client.get(address(agent), headers=HTMX).content.decode()
    assert "Publish version 2" in page
    assert "Rachel → Charlotte" in page
    assert "timeout 20 → 30 s" in page
    assert page.count("Charlotte") >= 2


def test_publishing_from_the_dialog_closes_it_with_a_toast_and_an_event(client: Client) -> None:
    agent = make_agent()
    client.force_login(make_user())
    answer = client.post(address(agent), answers(agent), headers=HTMX)
    assert answer.status_code == 200
    assert "Published V1 “Shorter greeting”." in answer.content.decode()
    assert "version-published" in answer.headers["HX-Trigger"]


def test_publishing_works_without_scripts(client: Client) -> None:
    agent = make_agent()
    client.force_login(make_user())
    answer = client.post(address(agent), answers(agent), follow=True)
    assert answer.redirect_chain[0][0] == f"/agents/{agent.slug}/versions/1/"
    assert "Published V1" in answer.content.decode()


def test_a_blocking_problem_links_to_its_field(client: Client) -> None:
    agent = make_agent(tools=[{"name": "send_sms", "description": "Texts"}])
    client.force_login(make_user())
    page = client.get(address(agent), headers=HTMX).content.decode()
    assert "send_sms" in page
    assert "?tab=tools#field-" in page
    refused = client.post(address(agent), answers(agent), headers=HTMX)
    assert refused.status_code == 422
    assert not agent.versions.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"name": ""}, "name"), ({"name": "x" * 300}, "200"), ({"expected": "tampered"}, "ncomplete")],
)
def test_a_wrong_form_is_shown_again_with_what_was_typed(client: Client, fields: dict[str, Any], sentence: str) -> None:
    agent = make_agent()
    client.force_login(make_user())
    sent = answers(agent, **{"description": "Typed with care", **fields})
    answer = client.post(address(agent), sent, headers=HTMX)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "Typed with care" in answer.content.decode()


def test_an_identical_draft_is_said_and_asked_about(client: Client) -> None:
    agent = make_agent()
    make_version(agent, name="The same")
    client.force_login(make_user())
    assert "The same" in client.get(address(agent), headers=HTMX).content.decode()
    assert client.post(address(agent), answers(agent), headers=HTMX).status_code == 422
    yes = client.post(address(agent), answers(agent, publish_identical="on"), headers=HTMX)
    assert yes.status_code == 200
    assert agent.versions.count() == 2


def test_the_second_of_two_tabs_is_asked_instead_of_publishing_twice(client: Client) -> None:
    agent = make_agent()
    both = answers(agent)
    client.force_login(make_user(username="mira"))
    assert client.post(address(agent), both, headers=HTMX).status_code == 200
    second = client.post(address(agent), both, headers=HTMX)
    assert second.status_code == 422
    assert "was just published by mira" in second.content.decode()
    assert agent.versions.count() == 1


def test_a_draft_that_moved_on_shows_the_new_changes_and_keeps_the_name(client: Client) -> None:
    agent = make_agent()
    seen = answers(agent)
    edit_draft(agent=agent, base=agent.draft_id, edits=(Edit("set", "welcome_message", "Hi"),), actor=agent.created_by)
    client.force_login(make_user())
    answer = client.post(address(agent), seen, headers=HTMX)
    assert answer.status_code == 422
    assert "changed since you opened this" in answer.content.decode()
    assert "Shorter greeting" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_connection_lost_while_publishing_leaves_nothing_and_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent()
    client.force_login(make_user())
    append = publishing._append_version

    def append_and_lose_the_connection(*args: Any) -> AgentVersion:
        append(*args)
        with connection.cursor() as cursor, pytest.raises(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise OperationalError("terminating connection due to administrator command")

    monkeypatch.setattr(publishing, "_append_version", append_and_lose_the_connection)
    answer = client.post(address(agent), answers(agent), headers=HTMX)
    assert answer.status_code == 503
    assert "Nothing was published" in answer.content.decode()
    assert "Shorter greeting" in answer.content.decode()
    assert not AgentVersion.objects.exists()
    monkeypatch.undo()
    assert client.post(address(agent), answers(agent), headers=HTMX).status_code == 200


def test_readers_strangers_and_wrong_methods_are_refused(client: Client) -> None:
    agent = make_agent()
    assert client.get(address(agent)).headers["Location"].startswith("/accounts/login/")
    client.force_login(make_user("viewer"))
    assert client.get(address(agent)).status_code == 403
    client.force_login(make_user())
    assert client.get("/agents/nobody/publish/").status_code == 404
    assert client.put(address(agent)).status_code == 405


def test_a_failed_publish_rolls_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = make_agent()

    def fail(**fields: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(publishing, "record", fail)
    with pytest.raises(OperationalError), transaction.atomic():
        publish(agent=agent, name="First", actor=agent.created_by)
    assert not agent.versions.exists()
