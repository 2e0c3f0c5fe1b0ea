"""Who may open which address: every path of the URL configuration, by role and method, against a checked-in table."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agentversions.core.roles import Role
from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from agentversions.services.libraries import create_entry
from agentversions.services.tokens import make_token
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("access_table.json")
METHODS = ("get", "post")
API_METHODS = (*METHODS, "put", "patch")
VISITORS = ("anonymous", *Role, "superuser")
VALUES = {
    "slug": "clinic",
    "number": "1",
    "pk": "1",
    "base": "1",
    "head": "draft",
    "digest": "{draft}",
    "kind": "tool",
}


def addresses(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of the product, as it is declared; sign-in and Django's admin have tests of their own."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif not path.startswith(("accounts/", "admin/")):
            yield path


def example(path: str, draft: str) -> str:
    """The address with values of things that exist."""
    slug = "sms" if path.startswith(("tools/", "knowledge/", "api/v1/tools", "api/v1/knowledge")) else "clinic"
    filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES[found[1]], path)
    return "/" + filled.replace("clinic", slug).replace("{draft}", draft)


def outcome(status: int, location: str) -> str:
    """What an answer means for access: in, sign in, forbidden, or no such method."""
    if location.startswith("/accounts/login/") or status == 401:
        return "sign in"
    return {403: "forbidden", 405: "no such method"}.get(status, "in")


def walk(client: Client) -> dict[str, dict[str, str]]:
    """The outcome for everybody at every address: visitors with the same outcome share a line."""
    people = {str(role): make_user(role) for role in Role} | {"superuser": make_user(is_superuser=True)}
    found: dict[str, dict[str, str]] = {}
    for path in sorted(set(addresses())):
        for method in API_METHODS if path.startswith("api/") else METHODS:
            by_outcome: dict[str, list[str]] = {}
            for visitor in VISITORS:
                by_outcome.setdefault(visit(client, path, method, people.get(visitor)), []).append(str(visitor))
            line = {key: " ".join(who) for key, who in sorted(by_outcome.items())}
            found[f"{method.upper()} /{path}"] = line
    return found


def visit(client: Client, path: str, method: str, person: User | None) -> str:
    """One visit, by session for a page and by token for the API."""
    client.logout()
    headers = {}
    if person is not None and path.startswith("api/"):
        boss = make_user("admin")
        roles = person.roles if not person.is_superuser else ["admin"]
        made = make_token(name="walk", roles=roles, scopes=["read", "write"], owner=boss, actor=boss)
        headers = {"Authorization": f"Bearer {made.secret}"}
    elif person is not None:
        client.force_login(person)
    draft = Agent.objects.values_list("draft_id", flat=True).get(slug="clinic")
    with transaction.atomic():
        answer = getattr(client, method)(example(path, draft), headers=headers)
        transaction.set_rollback(True)
    return outcome(answer.status_code, answer.headers.get("Location", ""))


def test_every_address_is_open_to_whom_the_table_says_and_to_nobody_else(client: Client) -> None:
    admin = make_user("admin")
    agent = make_agent(admin, slug="clinic")
    make_live(version=make_version(agent), actor=admin)
    for kind, content in (("tool", {"name": "sms", "kind": "client"}), ("knowledge_base", {"name": "sms"})):
        create_entry(kind=kind, content=content, actor=admin)
    make_token(name="first", roles=["viewer"], scopes=["read"], owner=admin, actor=admin)
    found = walk(client)
    expected = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    missing = {row: found[row] for row in found if row not in expected}
    assert missing == {}, "Rows to look at and add:\n" + json.dumps(missing, indent=1)
    assert found == expected
