"""The gate holds on every way to callers: pages, API, plans, rollouts, approvals; what moves numbers moves no version.

Each way is tried while a required suite has not run and nobody approved, and again once an approver has overridden it.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from agentversions.core.release import Verdict
from agentversions.models import Agent, AgentVersion, User
from agentversions.models.database import database_now
from agentversions.services.approvals import ask_approval, decide
from agentversions.services.deployments import live_version, make_live, roll_back
from agentversions.services.errors import NotReady
from agentversions.services.git.syncing import synchronise
from agentversions.services.readiness import override_readiness
from agentversions.services.release_rules import set_rules
from channels.core.rollout_states import By, Move
from channels.core.rollout_steps import Preset, preset_steps
from channels.core.routes import Follow, Target, single
from channels.models import Channel
from channels.services.batches import apply_moves, plan_moves, plan_take_back, undo_batch
from channels.services.explain import explain
from channels.services.live import move_live
from channels.services.rollout_starts import start_all_due
from channels.services.rollouts import move_rollout, open_rollout, start_rollout
from channels.services.schedule import schedule_live
from channels.services.scheduled_runs import run_due_steps
from tests.agentversions.api_client import ApiClient
from tests.agentversions.evaluations import case, suite_of
from tests.agentversions.git_repository import Repository, follow
from tests.factories import make_channel, make_user, make_version

from .scheduled import HOUR, Clock, make_clinic

pytestmark = pytest.mark.django_db
FOLLOW_LIVE = single(Target("clinic", Follow.LIVE))


@dataclass
class World:
    """V3 is live, V1 was; V2 and V4 never were. Every version needs a suite and an approval."""

    agent: Agent
    clock: Clock
    operator: User = field(default_factory=lambda: make_user("operator", username="otto"))
    approver: User = field(default_factory=lambda: make_user("approver", username="anna"))

    @property
    def live(self) -> int:
        live = live_version(self.agent)
        assert live is not None
        return live.number

    @property
    def share(self) -> int:
        """Callers (of 100,000) that a rollout gives another version."""
        rollout = open_rollout(self.agent)
        return rollout.value.share if rollout else 0

    def page(self, address: str, **fields: Any) -> None:
        client = Client()
        client.force_login(self.operator)
        client.post(address, fields)

    def api(self, path: str, body: dict[str, Any]) -> None:
        ApiClient("operator", owner=self.operator).post(path, body)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    agent, clock = make_clinic(), Clock()
    make_live(version=agent.versions.get(number=3), actor=agent.created_by)
    make_version(agent, name="Version 4", system_prompt="Prompt 4.")
    suite = suite_of(case("a"))
    set_rules(agent=agent, approvals=1, tolerance=0, suites=[suite.slug], actor=make_user("admin"))
    clock.replace(monkeypatch)
    for module in ("channels.services.rollouts", "channels.services.rollout_starts"):
        monkeypatch.setattr(f"{module}.database_now", clock)
    return World(agent, clock)


def by_service(world: World, version: AgentVersion) -> None:
    make_live(version=version, reason="Now", actor=world.operator)


def rolled_back(world: World, version: AgentVersion) -> None:
    roll_back(agent=world.agent, to=version, reason="Back", actor=world.operator)


def in_the_dialog(world: World, version: AgentVersion) -> None:
    world.page(f"/agents/clinic/versions/{version.number}/live/", seen="3", reason="Now")


def over_the_api(world: World, version: AgentVersion) -> None:
    world.api("/agents/clinic/live", {"version": version.number, "reason": "Now"})


def rolled_back_over_the_api(world: World, version: AgentVersion) -> None:
    world.api("/agents/clinic/live", {"version": version.number, "reason": "Back", "is_rollback": True})


def planned(world: World, version: AgentVersion) -> None:
    schedule_live(version=version, at=database_now() + HOUR, time_zone="UTC", actor=world.operator)
    world.clock.ahead = HOUR
    run_due_steps()


def planned_over_the_api(world: World, version: AgentVersion) -> None:
    at = (database_now() + HOUR).isoformat()
    world.api("/schedule", {"live": {"agent": "clinic", "version": version.number}, "at": at})
    world.clock.ahead = HOUR
    run_due_steps()


def planned_on_the_page(world: World, version: AgentVersion) -> None:
    at = (database_now() + HOUR).strftime("%Y-%m-%dT%H:%M")
    world.page(f"/agents/clinic/versions/{version.number}/live/later/", at=at, time_zone="UTC", reason="Now")
    world.clock.ahead = HOUR
    run_due_steps()


def when_approved(world: World, version: AgentVersion) -> None:
    request = ask_approval(version=version, goes_live=True, actor=world.operator)
    # The approval is there, the suite has not run: it stays away all the same.
    decide(request=request, verdict=Verdict.APPROVE, digest=request.digest, seen_live=3, actor=world.approver)


def rolled_out(world: World, version: AgentVersion) -> None:
    steps = preset_steps(Preset.BALANCED)
    start_rollout(agent=world.agent, version=version.number, steps=steps, actor=world.operator)


def rolled_out_on_the_page(world: World, version: AgentVersion) -> None:
    fields = {"agent": "clinic", "version": str(version.number), "preset": "balanced", "step": "start", "when": "now"}
    steps = {"share": ["10", "50"], "margin": ["3", "2"], "soak": ["2", "2"], "max_days": "30"}
    world.page("/rollouts/new/", **fields, **steps)


def rolled_out_over_the_api(world: World, version: AgentVersion) -> None:
    world.api("/rollouts", {"agent": "clinic", "version": version.number})


def rolled_out_later(world: World, version: AgentVersion) -> None:
    steps, at = preset_steps(Preset.BALANCED), database_now() + HOUR
    start_rollout(agent=world.agent, version=version.number, steps=steps, starts_at=at, actor=world.operator)
    world.clock.ahead = HOUR
    start_all_due()


Way = Callable[[World, AgentVersion], None]
TO_ALL: list[Way] = [
    by_service, rolled_back, in_the_dialog, over_the_api, rolled_back_over_the_api,
    planned, planned_over_the_api, planned_on_the_page, when_approved,
]  # fmt: skip
TO_SOME: list[Way] = [rolled_out, rolled_out_on_the_page, rolled_out_over_the_api, rolled_out_later]
TABLE = [pytest.param(way, number, id=f"{way.__name__}-V{number}") for way in TO_ALL for number in (2, 4)] + [
    pytest.param(way, 4, id=way.__name__) for way in TO_SOME
]


@pytest.mark.parametrize(("way", "number"), TABLE)
def test_no_way_to_callers_passes_the_gate(world: World, way: Way, number: int) -> None:
    version = world.agent.versions.get(number=number)
    with contextlib.suppress(NotReady):
        way(world, version)
    assert (world.live, world.share) == (3, 0)


@pytest.mark.parametrize(("way", "number"), TABLE)
def test_the_same_way_is_open_once_an_approver_has_overridden(world: World, way: Way, number: int) -> None:
    version = world.agent.versions.get(number=number)
    override_readiness(version=version, reason="Outage", actor=world.approver)
    way(world, version)
    if way in TO_ALL:
        assert (world.live, world.share) == (number, 0)
        assert world.agent.deployments.newest_first()[0].override is not None
    else:
        assert (world.live, world.share) == (3, 10_000)


def test_a_rollout_that_began_open_ends_with_what_it_began(world: World) -> None:
    """Promoting asks nothing again, whatever rules came since; another version than the one it began with is none."""
    version = world.agent.versions.get(number=4)
    override_readiness(version=version, reason="Outage", actor=world.approver)
    rolled_out(world, version)
    suite = suite_of(case("b"), name="Came later")
    set_rules(agent=world.agent, approvals=2, tolerance=0, suites=[suite.slug], actor=make_user("admin"))
    with pytest.raises(NotReady):
        make_live(version=version, actor=world.operator)
    rollout = open_rollout(world.agent)
    assert rollout is not None
    move_rollout(rollout=rollout, move=Move.PROMOTE, by=By.PERSON, reason="Good", actor=world.operator)
    assert world.live == 4


def test_changes_of_numbers_and_their_undoing_bring_no_version_live(world: World) -> None:
    channel = make_channel(world.agent)
    before = database_now()
    moves = plan_moves(Channel.objects.all(), FOLLOW_LIVE)
    batch = apply_moves(moves=moves, summary="Follow Live", actor=world.operator)
    answer = explain(Channel.objects.with_route().get(pk=channel.pk)).answer
    assert (answer.version if answer else None, world.live) == (3, 3)
    undo_batch(batch=batch, actor=world.operator)
    assert world.live == 3
    apply_moves(moves=plan_moves(Channel.objects.all(), FOLLOW_LIVE), summary="Again", actor=world.operator)
    apply_moves(moves=plan_take_back(before), summary="As it was", actor=world.operator)
    assert (world.live, world.share) == (3, 0)
    assert world.agent.deployments.count() == 2


def test_what_git_brings_waits_for_the_gate(world: World, tmp_path: Path, settings: Any) -> None:
    settings.GIT_SYNC_FOLDER = tmp_path / "mirrors"
    repository = Repository(tmp_path)
    follow(repository, make_user("admin"))
    repository.put("agents/desk", welcome_message="Hello")
    repository.save("Answer the phone")
    synchronise(trigger="test")
    desk = Agent.objects.get(slug="desk")
    make_live(version=desk.versions.get(), actor=world.operator)
    set_rules(agent=desk, approvals=1, tolerance=0, suites=[], actor=make_user("admin"))
    repository.put("agents/desk", welcome_message="Good morning")
    repository.save("Greet by the time of day")
    synchronise(trigger="test")
    newest = desk.versions.get(number=2)
    assert str(live_version(desk)) == "V1"
    with pytest.raises(NotReady):
        move_live(version=newest, seen=1, actor=world.operator)
    request = ask_approval(version=newest, goes_live=True, actor=world.operator)
    decide(request=request, verdict=Verdict.APPROVE, digest=request.digest, seen_live=1, actor=world.approver)
    assert live_version(desk) == newest


def test_going_back_to_what_was_live_is_open_on_every_way_and_flagged(world: World) -> None:
    first, third = (world.agent.versions.get(number=number) for number in (1, 3))
    for way in (rolled_back, in_the_dialog, rolled_back_over_the_api, planned):
        make_live(version=third, override_reason="Back up", actor=make_user("operator", "approver"))
        way(world, first)
        newest = world.agent.deployments.newest_first()[0]
        assert (world.live, newest.is_rollback) == (1, True), way.__name__
        assert newest.rollback_review.reviewed_at is None, way.__name__
