"""A spool of its own for each test, no memory of another test's outage; the clinic whose versions handle the calls;
a viewer, and their browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from agentversions.models import Agent, User
from monitoring.services import outages
from monitoring.services.spool import Spool, the_spool
from tests.factories import make_agent, make_user, make_version


@pytest.fixture(autouse=True)
def spool(settings: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    settings.CALL_SPOOL = tmp_path / "spool"  # type: ignore[attr-defined]
    monkeypatch.setattr(outages, "_away_until", 0.0)
    found = the_spool()
    yield found
    found.close()


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    for number in (1, 2):
        make_version(agent, name=f"Change {number}", system_prompt=f"Prompt {number}.")
    return agent


@pytest.fixture
def reader() -> User:
    return make_user("viewer", username="vera", first_name="Vera", last_name="Viewer")


@pytest.fixture
def client(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client
