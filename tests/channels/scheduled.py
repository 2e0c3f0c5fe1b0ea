"""A clinic with three versions and three numbers, a change planned for them, and a clock that moves by hand."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from agentversions.models import Agent, FreezeWindow, User
from agentversions.models.database import database_now
from agentversions.services.deployments import make_live
from agentversions.services.freezes import create_freeze
from channels.core.routes import Follow, Target, single
from channels.models import Channel, ScheduledChange
from channels.services.schedule import schedule_route
from tests.factories import make_agent, make_user, make_version

HOUR = timedelta(hours=1)
V1 = single(Target("clinic", Follow.VERSION, 1))


class Clock:
    """The database's clock as the services read it, moved forward by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return database_now() + self.ahead

    def replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the services read this clock."""
        for module in ("channels.services.schedule", "channels.services.scheduled_runs"):
            monkeypatch.setattr(f"{module}.database_now", self)
        monkeypatch.setattr("agentversions.services.freezes.database_now", self)


def make_clinic() -> Agent:
    """Three versions, the first of them live."""
    agent = make_agent(slug="clinic")
    for number in (1, 2, 3):
        make_version(agent, name=f"Version {number}", system_prompt=f"Prompt {number}.")
    make_live(version=agent.versions.get(number=1), actor=agent.created_by)
    return agent


def route_of(channel: Channel) -> str:
    return str(Channel.objects.with_route().get(pk=channel.pk).route)


def plan_route(channels: list[Channel], actor: User, **fields: Any) -> ScheduledChange:
    at = fields.pop("at", database_now() + HOUR)
    return schedule_route(channels=channels, plan=V1, at=at, time_zone="Europe/Paris", actor=actor, **fields)


def freeze(*, starts: timedelta = -HOUR, ends: timedelta = HOUR) -> FreezeWindow:
    now = database_now()
    admin = make_user("admin")
    return create_freeze(
        occasion="Christmas", starts_at=now + starts, ends_at=now + ends, time_zone="Europe/Paris", actor=admin
    )
