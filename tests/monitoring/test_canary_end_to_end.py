"""From a voice platform's first question to the judge's decision, through HTTP: a canary that is worse goes, one that
is alike stays, and one of which nothing is heard is never promoted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.models import AuditEntry
from agentversions.services.deployments import live_version
from channels.core.rollout_states import State
from channels.core.rollout_steps import Step
from channels.core.routes import Follow, Target
from channels.models import Rollout, RoutedCall
from channels.services.routes import pin
from monitoring.models import Call, CanaryEvaluation
from monitoring.services import canary_calling
from tests.channels.runtime import eventually, resolve_token
from tests.channels.test_rollout_notices import work
from tests.factories import make_agent, make_channel, make_user, make_version

from .canary import begin
from .platform import Platform, application

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+33198765432"
STEPS = (Step(25_000, 3.0, 0), Step(50_000, 2.0, 0))
Says = Callable[[int, dict[str, Any]], dict[str, Any] | None]


@pytest.fixture
def rollout(monkeypatch: pytest.MonkeyPatch) -> Rollout:
    monkeypatch.setattr(canary_calling, "_called_until", 0.0)
    monkeypatch.setattr(canary_calling, "SECONDS", 0.0)
    agent = make_agent(slug="clinic")
    for name in ("One", "Two"):
        make_version(agent, name=name, system_prompt=f"Prompt {name}.")
    rollout = begin(agent, steps=STEPS)
    channel = make_channel(agent, address=NUMBER)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=make_user("operator"))
    return rollout


@pytest.fixture
def platform(rollout: Rollout, tmp_path: Path) -> Iterator[Platform]:
    with application(tmp_path / "store.sqlite3", configured.CALLER_SECRET) as (address, _):
        yield Platform(address, NUMBER, resolve_token(), resolve_token("calls"))


def failing(canary: int, stable: int) -> Says:
    """Every so manieth caller's call fails, by the arm that answered."""

    def says(caller: int, answer: dict[str, Any]) -> dict[str, Any]:
        return {"error": caller % (canary if answer["version"] == 2 else stable) == 0}

    return says


def drive(platform: Platform, rollout: Rollout, says: Says, *, most: int, batch: int = 200) -> list[str]:
    """Calls in batches, the judge after each, until the rollout is over or nobody gets the version."""
    for start in range(0, most, batch):
        platform.run(range(start, start + batch), says)
        eventually(lambda: RoutedCall.objects.count() == len(platform.taken), 20)
        work()
        rollout.refresh_from_db()
        if rollout.value.state.is_over or not rollout.value.share:
            break
    return list(rollout.moves.order_by("id").values_list("move", flat=True))


def test_a_canary_twice_as_bad_is_rolled_back(platform: Platform, rollout: Rollout) -> None:
    moves = drive(platform, rollout, failing(4, 8), most=3_000)
    assert moves[-1] == "roll_back"
    assert "promote" not in moves
    assert str(live_version(rollout.agent)) == "V1"
    canary = [answer for answer in platform.taken if answer["version"] == 2]
    assert 0 < len(canary) < len(platform.taken) / 2
    assert all(answer["rollout"]["arm"] == "canary" for answer in canary)
    assert Call.objects.filter(version=2).count() == len(canary)
    assert AuditEntry.objects.filter(action="rollout rolled back").count() == 1
    # The next caller of the canary gets what was live all the time.
    eventually(lambda: platform_version(platform) == 1)


def platform_version(platform: Platform) -> int:
    platform.run([next(at for at, answer in enumerate(platform.taken) if answer["version"] == 2)], lambda *_: None)
    version: int = platform.taken[-1]["version"]
    return version


def test_an_identical_canary_is_promoted_step_by_step(platform: Platform, rollout: Rollout) -> None:
    moves = drive(platform, rollout, failing(5, 5), most=3_000)
    assert moves == ["start", "advance", "promote"]
    assert str(live_version(rollout.agent)) == "V2"
    shares = {answer["rollout"]["share"] for answer in platform.taken if answer["rollout"]}
    assert shares == {25.0, 50.0}


def test_a_silent_canary_is_never_promoted_and_ends_unhealthy(
    platform: Platform, rollout: Rollout, settings: Any
) -> None:
    settings.LONGEST_CALL_MINUTES = settings.CALL_GRACE_MINUTES = 0
    alike = failing(5, 5)
    moves = drive(
        platform, rollout, lambda caller, answer: None if answer["version"] == 2 else alike(caller, answer), most=1_000
    )
    assert moves[-1] == "find_unhealthy"
    assert "promote" not in moves
    assert rollout.state == State.UNHEALTHY
    assert str(live_version(rollout.agent)) == "V1"
    said = CanaryEvaluation.objects.first()
    assert said is not None
    assert "never arrived" in said.words
    assert ProcrastinateJob.objects.filter(task_name=canary_calling.JUDGE_TASK, status="failed").count() == 0
    connection.close()
