"""Who may open which address: every path of the URL configuration, by role and method, against a checked-in table."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agentversions.core.roles import Role
from agentversions.models import Agent, AgentVersion, ApprovalRequest, User
from agentversions.services.deployments import make_live
from agentversions.services.libraries import create_entry
from agentversions.services.tokens import make_token
from channels.models import Route
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from tests.agentversions.evaluations import run_of_one_case
from tests.channels.flagged import make_flag
from tests.channels.scheduled import freeze, plan_route
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("access_table.json")
METHODS = ("get", "post", "put", "patch", "delete")
VALUES = {
    "slug": "clinic",
    "number": "1",
    "pk": "1",
    "base": "1",
    "head": "draft",
    "digest": "{draft}",
    "kind": "tool",
    "address": "+33198765432",
    "sender_id": "call-1",
    "platform": "vapi",
    "call_id": "call-1",
    "position": "0",
    "form": "json",
    "shape": "csv",
    "word": "pause",
    "move": "pause",
    "key": "no-transfer",
}


def addresses(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of the product, as it is declared; sign-in and Django's admin have tests of their own.

    Nothing is at the API's root, by which the library that serves it makes its addresses.
    """
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif not path.startswith(("accounts/", "admin/")) and path != "api/v1/":
            yield path


def example(path: str, draft: str) -> str:
    """The address with values of things that exist."""
    if "evaluations/" in path:
        path = path.replace("<int:head>", "1").replace("{int:head}", "1")
    slug = "sms" if path.startswith(("tools/", "knowledge/", "api/v1/tools", "api/v1/knowledge")) else "clinic"
    if path.startswith("channels/fleet/<str:digest>"):
        path = path.replace("<str:digest>", str(Route.objects.values_list("digest", flat=True)[0]))
    filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES[found[1]], path)
    return "/" + filled.replace("clinic", slug).replace("{draft}", draft)


def outcome(status: int, location: str) -> str:
    """What an answer means for access: in, sign in, forbidden, or no such method."""
    if location.startswith("/accounts/login/") or status == 401:
        return "sign in"
    return {403: "forbidden", 405: "no such method"}.get(status, "in")


def walk() -> dict[str, dict[str, str]]:
    """The outcome for everybody at every address: visitors with the same outcome share a line.

    A method that a superuser may not use is left out: no address knows it.
    """
    people = {str(role): make_user(role) for role in Role} | {"superuser": make_user(is_superuser=True)}
    browsers, programs = {"anonymous": Client()}, {"anonymous": Client()}
    for who, person in people.items():
        browsers[who] = Client()
        browsers[who].force_login(person)
        programs[who] = program(["admin"] if person.is_superuser else person.roles, ("read", "write"))
    found: dict[str, dict[str, str]] = {}
    draft = draft_of_the_clinic()
    for path in sorted(set(addresses())):
        visitors = programs if path.startswith("api/") else browsers
        for method in METHODS:
            of_superuser = visit(visitors["superuser"], path, method, draft)
            if of_superuser == "no such method":
                continue
            by_outcome: dict[str, list[str]] = {}
            for who, client in visitors.items():
                said = of_superuser if who == "superuser" else visit(client, path, method, draft)
                by_outcome.setdefault(said, []).append(who)
            found[f"{method.upper()} /{path}"] = {said: " ".join(who) for said, who in sorted(by_outcome.items())}
    return found


def program(roles: list[str], scopes: tuple[str, ...]) -> Client:
    """A program with a token whose owner may do everything."""
    boss = make_user("admin", is_superuser=True)
    secret = make_token(name="walk", roles=roles, scopes=list(scopes), owner=boss, actor=boss).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def draft_of_the_clinic() -> str:
    """The digest of what every visit finds as the clinic's draft."""
    return Agent.objects.values_list("draft_id", flat=True).get(slug="clinic")


def visit(client: Client, path: str, method: str, draft: str) -> str:
    """One visit; whatever it changed is undone."""
    with transaction.atomic():
        answer = getattr(client, method)(example(path, draft))
        transaction.set_rollback(True)
    return outcome(answer.status_code, answer.headers.get("Location", ""))


@pytest.fixture
def _things(caplog: pytest.LogCaptureFixture) -> None:
    """One of everything that an address can name; thousands of refusals are expected, and not written down."""
    caplog.set_level(logging.ERROR, "django.request")
    admin = make_user("admin")
    agent = make_agent(admin, slug="clinic")
    make_live(version=make_version(agent), actor=admin)
    ask_first(make_version(agent, welcome_message="Hello again"), admin)
    for kind, content in (("tool", {"name": "sms", "kind": "client"}), ("knowledge_base", {"name": "sms"})):
        create_entry(kind=kind, content=content, actor=admin)
    run_of_one_case(agent)
    plan_route([make_channel(agent, address="+33198765432")], admin)
    make_flag(actor=admin)
    freeze()
    ingest([read_record({"id": "call-1"})], source="api")
    make_token(name="first", roles=["viewer"], scopes=["read"], owner=admin, actor=admin)


def ask_first(version: AgentVersion, actor: User) -> None:
    """Request 1, for a version that is not live."""
    ApprovalRequest.objects.create(
        pk=1, agent=version.agent, version=version, digest=version.configuration_id, created_by=actor
    )


@pytest.mark.usefixtures("_things")
def test_every_address_is_open_to_whom_the_table_says_and_to_nobody_else() -> None:
    """Every method that is not in the table is refused to everybody."""
    found = walk()
    expected = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    missing = {row: found[row] for row in found if row not in expected}
    assert missing == {}, "Rows to look at and add:\n" + json.dumps(missing, indent=1)
    assert found == expected


@pytest.mark.usefixtures("_things")
def test_a_token_reads_only_with_the_scope_read_and_changes_only_with_write() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    reader, writer, resolver = (program(["admin"], (scope,)) for scope in ("read", "write", "resolve"))
    # What is open to anonymous callers asks for a platform's signature instead.
    closed = {row: table[row].get("in", "") for row in table if "anonymous" not in table[row].get("in", "")}
    calls = [row.split(" /") for row in closed if " /api/" in row and "admin" in closed[row]]
    assert len(calls) > 20
    draft = draft_of_the_clinic()
    for method, path in calls:
        is_reading = method == "GET"
        allowed = {reader: is_reading, writer: not is_reading, resolver: False}
        for client, is_allowed in allowed.items():
            assert visit(client, path, method.lower(), draft) == ("in" if is_allowed else "forbidden"), (
                f"{method} /{path}"
            )


def test_every_page_declares_who_may_open_it() -> None:
    silent = [name for name, view in views() if not hasattr(view, "access")]
    assert silent == []


def views(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[tuple[str, Any]]:
    """Every view of our own pages, by its name."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        elif pattern.callback.__module__.startswith(("agentversions.views", "channels.views", "monitoring.views")):
            yield str(pattern.name), pattern.callback
