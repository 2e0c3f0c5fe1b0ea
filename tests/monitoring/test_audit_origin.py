"""From where an entry of the audit log says it comes, and what is recorded of people."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory

import manage
from agentversions.models import AuditEntry, User
from agentversions.services.tokens import make_token
from config.origin import GIT, Origin, client_address, current_origin, originating, task_origin
from tests.factories import make_agent, make_user
from tests.monitoring.audit_log import write

pytestmark = pytest.mark.django_db


def test_a_page_a_token_a_command_and_a_worker_are_named(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = make_user("admin", is_superuser=True)
    browser = Client(REMOTE_ADDR="203.0.113.7")
    browser.force_login(boss)
    agent = make_agent(boss, slug="clinic")
    browser.post("/agents/clinic/archive/", {"reason": "Closed"})
    entry = AuditEntry.objects.get(action="agent archived")
    assert (entry.origin, entry.origin_name) == ("page", "/agents/clinic/archive/")
    assert entry.client_address == "203.0.113.7"

    secret = make_token(name="Nightly", roles=["admin"], scopes=["write"], owner=boss, actor=boss).secret
    program = Client(headers={"Authorization": f"Bearer {secret}"}, REMOTE_ADDR="2001:db8::1")
    assert program.post(f"/api/v1/agents/{agent.slug}/unarchive").status_code == 200
    entry = AuditEntry.objects.get(action="agent brought back")
    assert (entry.origin, entry.origin_name, entry.client_address) == ("token", "Nightly", "2001:db8::1")

    # Django's own entry closes the connection, and with it the test's transaction.
    monkeypatch.setattr(
        manage,
        "execute_from_command_line",
        lambda given: call_command(*given[1:], stdout=io.StringIO(), stderr=io.StringIO()),
    )
    manage.main(["manage.py", "create_token", "made here", "--role", "viewer", "--scopes", "read"])
    entry = AuditEntry.objects.get(reason="made here")
    assert (entry.origin, entry.origin_name, entry.client_address) == ("command", "create_token", None)

    class Context:
        class job:  # noqa: N801
            task_name = "channels.run_scheduled_step"

    task_origin(lambda: write("by the worker"), Context(), None)
    entry = AuditEntry.objects.get(reason="by the worker")
    assert (entry.origin, entry.origin_name) == ("worker", "channels.run_scheduled_step")
    with originating(Origin(GIT, "4f2a")):
        assert write("merged").origin_name == "4f2a"
    assert current_origin() == Origin()
    assert write("in a shell").origin == ""


def test_what_people_may_do_is_changed_under_the_eyes_of_the_log() -> None:
    boss = make_user("admin", is_superuser=True, is_staff=True)
    browser = Client()
    browser.force_login(boss)
    new = {
        "username": "nora",
        "email": "nora@example.com",
        "roles": "viewer",
        "password1": "a long enough 1",
        "password2": "a long enough 1",
    }
    assert browser.post("/admin/agentversions/user/add/", {**new, "usable_password": "true"}).status_code == 302
    nora = User.objects.get(username="nora")
    form = browser.get(f"/admin/agentversions/user/{nora.pk}/change/").context["adminform"].form
    typed = {name: value for name, value in form.initial.items() if isinstance(value, str)}
    changed = {
        **typed,
        "roles": "viewer,admin",
        "is_active": "on",
        "date_joined_0": "2026-11-21",
        "date_joined_1": "10:00:00",
    }
    answer = browser.post(f"/admin/agentversions/user/{nora.pk}/change/", changed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    password = {"password1": "another long 2", "password2": "another long 2", "usable_password": "true"}
    assert browser.post(f"/admin/agentversions/user/{nora.pk}/password/", password).status_code == 302
    entries = AuditEntry.objects.filter(subject_kind="person", subject="nora").order_by("id")
    assert [entry.action for entry in entries] == ["person made", "person changed", "password set"]
    assert entries[0].after == {"username": "nora", "email": "nora@example.com", "roles": ["viewer"]}
    assert (entries[1].before, entries[1].after) == ({"roles": ["viewer"]}, {"roles": ["viewer", "admin"]})
    assert {entry.actor_id for entry in entries} == {boss.pk}


@pytest.mark.parametrize(
    ("is_trusted", "remote", "forwarded", "found"),
    [
        (False, "10.0.0.1", "203.0.113.7", "10.0.0.1"),
        (True, "10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (True, "10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        (True, "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        (True, "10.0.0.1", "unknown", "10.0.0.1"),
        (True, "10.0.0.1", "", "10.0.0.1"),
        (False, "", "", ""),
        (False, "fe80::1%eth0", "", "fe80::1"),
        (False, "2001:db8::1", "", "2001:db8::1"),
    ],
)
def test_only_a_trusted_proxy_is_believed(
    settings: Any, is_trusted: bool, remote: str, forwarded: str, found: str
) -> None:
    settings.TRUST_PROXY = is_trusted
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request.META) == found
