"""An operator, their browser, and the clinic whose routes are planned; a test with a fleet of its own makes its own."""

import pytest
from django.test import Client

from agentversions.models import Agent, User
from channels.models import Channel
from tests.channels.scheduled import Clock, make_clinic
from tests.factories import make_channel, make_user


@pytest.fixture
def operator() -> User:
    return make_user("operator", time_zone="UTC")


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def agent() -> Agent:
    return make_clinic()


@pytest.fixture
def channels(agent: Agent) -> list[Channel]:
    return [make_channel(agent) for _ in range(3)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.replace(monkeypatch)
    return clock
