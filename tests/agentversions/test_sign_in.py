"""Signing in: by e-mail or user name, closed to strangers, and every page says so in words."""

import pytest
from django.test import Client

from tests.factories import make_agent, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.mark.parametrize("login", ["berta", "berta@example.com"])
def test_people_sign_in_by_name_or_e_mail(client: Client, login: str) -> None:
    make_user(username="berta")
    answer = client.post("/accounts/login/", {"login": login, "password": PASSWORD})
    assert answer.headers["Location"] == "/"
    assert client.get("/agents/").status_code == 200


def test_a_wrong_password_is_said_and_lets_nobody_in(client: Client) -> None:
    make_user(username="berta")
    answer = client.post("/accounts/login/", {"login": "berta", "password": "wrong"})
    assert "not correct" in answer.content.decode()
    assert client.get("/agents/").status_code == 302


def test_nobody_signs_up_by_themselves(client: Client) -> None:
    fields = {"email": "a@example.com", "username": "a", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", fields)
    assert client.get("/agents/").status_code == 302


def test_signing_in_leads_nowhere_outside(client: Client) -> None:
    make_user(username="berta")
    answer = client.post("/accounts/login/?next=https://evil.example", {"login": "berta", "password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_a_deactivated_person_does_not_come_in(client: Client) -> None:
    make_user(username="berta", is_active=False)
    client.post("/accounts/login/", {"login": "berta", "password": PASSWORD})
    assert client.get("/agents/").status_code == 302


def test_a_person_without_a_role_is_told_whom_to_ask(client: Client) -> None:
    person = make_user()
    person.roles = []
    person.save()
    client.force_login(person)
    answer = client.get("/agents/")
    assert answer.status_code == 403
    assert "Ask an admin for one." in answer.content.decode()


def test_what_is_not_there_is_said_with_the_agents_name(client: Client) -> None:
    client.force_login(make_user())
    answer = client.get("/agents/nobody/")
    assert answer.status_code == 404
    assert "There is no agent “nobody”." in answer.content.decode()


def test_the_profile_keeps_the_time_zone(client: Client) -> None:
    person = make_user()
    client.force_login(person)
    assert client.post("/profile/", {"time_zone": "Mars/Olympus"}).status_code == 422
    client.post("/profile/", {"time_zone": "Europe/Paris"})
    person.refresh_from_db()
    assert person.time_zone == "Europe/Paris"


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/change/", "/accounts/2fa/", "/profile/"])
def test_account_pages_are_in_the_products_look_under_the_strict_policy(client: Client, path: str) -> None:
    client.force_login(make_user()) if "login" not in path else None
    answer = client.get(path, follow=True)
    assert "tabler.min.css" in answer.content.decode()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("model", ["configuration", "agentversion", "deployment", "auditentry", "agent", "user"])
def test_superusers_see_the_admin_and_change_no_history_there(client: Client, model: str) -> None:
    make_agent()
    boss = make_user("admin", is_superuser=True, is_staff=True)
    client.force_login(boss)
    assert client.get(f"/admin/agentversions/{model}/").status_code == 200
    if model != "user":
        assert client.get(f"/admin/agentversions/{model}/add/").status_code == 403
    assert client.post(f"/admin/agentversions/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_admin_is_closed_to_everybody_else(client: Client) -> None:
    client.force_login(make_user("admin"))
    assert client.get("/admin/agentversions/user/").status_code == 302
