"""What is answered when something is wrong: a sentence that says what to do, on a page or as a problem document."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from agentversions.views import agents
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_user("editor"))
    return client


def break_the_list(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(agents, "list_agents", fail)


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_a_lost_database_is_a_503_that_says_nothing_was_changed(
    browser: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    break_the_list(monkeypatch, error)
    answer = browser.get("/agents/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "The database cannot be reached" in answer.content.decode()
    assert "Nothing was changed" in answer.content.decode()


def test_a_change_that_lost_the_database_is_not_called_undone() -> None:
    from django.test import RequestFactory

    from agentversions.views.errors import failed

    try:
        raise OperationalError("gone")
    except OperationalError:
        answer = failed(RequestFactory().post("/agents/new/"))
    assert "Either all of your change was saved or nothing of it" in answer.content.decode()


def test_a_bug_is_a_500_without_a_traceback(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    break_the_list(monkeypatch, ZeroDivisionError("secret detail"))
    answer = browser.get("/agents/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


def test_an_unknown_address_is_a_page_or_a_problem_document(browser: Client) -> None:
    page = browser.get("/nowhere/")
    assert (page.status_code, "There is nothing at this address" in page.content.decode()) == (404, True)
    problem = browser.get("/api/v1/nowhere")
    assert (problem.status_code, problem["Content-Type"]) == (404, "application/problem+json")
    assert problem.json()["detail"].endswith(".")


def test_a_missing_role_is_said_on_the_page_and_in_the_header_that_toasts_read(client: Client) -> None:
    client.force_login(make_user("viewer"))
    answer = client.get("/tokens/")
    assert answer.status_code == 403
    assert answer["X-Problem"] == "This needs the Admin role."


def test_a_form_without_its_token_is_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("editor"))
    answer = client.post("/agents/new/", {})
    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()


@pytest.mark.parametrize("path", ["/agents/?q=%00", "/agents/%00/", "/tools/?q=%00", "/agents/x/versions/?q=%00"])
def test_a_nul_in_an_address_breaks_nothing(browser: Client, path: str) -> None:
    assert browser.get(path).status_code < 500
