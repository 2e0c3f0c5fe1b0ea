"""Who answered when: exact for drafts, versions, live and tests, against a naive replay of everything that happened."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentversions.core.configuration import AgentConfiguration
from agentversions.models import Agent
from agentversions.services.deployments import live_version, make_live, roll_back
from agentversions.services.drafts import replace_draft
from agentversions.services.publishing import publish
from channels.core.phone_numbers import read_caller
from channels.core.routes import Follow, RoutePlan, Target, WantedVariant, single
from channels.core.routing import choose
from channels.models import Channel
from channels.services.answered import answered_at
from channels.services.channels import change_channel
from channels.services.draft_serving import apply_draft, serve_at_once, wait_for_apply
from channels.services.explain import explain
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_configuration, make_user, make_version

pytestmark = pytest.mark.django_db
CALLER = "+33612345678"


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment


def test_before_a_channel_was_there_nothing_answered() -> None:
    early = now()
    channel = make_channel()
    said = answered_at(channel, early)
    assert (said.plan, said.why) == (None, f"{channel} was not there yet.")


def test_it_says_who_set_the_route_and_why_also_after_the_label_changed() -> None:
    agent, operator = make_agent(slug="clinic"), make_user("operator")
    make_version(agent)
    channel = make_channel(agent)
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), reason="Release", actor=operator)
    change_channel(channel=channel, label="Front desk", actor=make_user("operator"))
    said = answered_at(channel, now())
    assert (said.set_by, said.reason) == (operator, "Release")
    assert said.set_at is not None
    assert said.set_at < channel.history.first().history_date
    assert (said.version, said.digest) == (agent.versions.get(), agent.versions.get().configuration_id)


def test_a_test_needs_a_caller_and_then_says_the_bucket() -> None:
    agent = make_agent(slug="clinic")
    make_version(agent)
    channel = make_channel(agent)
    plan = plan_test(
        [
            WantedVariant("Control", Target("clinic", Follow.VERSION, 1), 50_000),
            WantedVariant("Draft", Target("clinic"), 50_000),
        ]
    )
    save_route(channel=channel, plan=plan, actor=make_user("operator"))
    assert "name a caller" in answered_at(channel, now()).why
    said = answered_at(channel, now(), caller="06 12 34 56 78")
    assert said.decision == choose(plan, CALLER)
    assert answered_at(channel, now(), caller="anonymous", call_id="c-1").decision == choose(plan, "c-1")


@dataclass
class Replay:
    """Everything kept in plain Python: what stands now, and what stood after each step."""

    agent: Agent
    channel: Channel
    plan: RoutePlan
    is_on: bool = True
    draft: str = ""
    applied: str | None = None
    live: int | None = None
    versions: list[str] = field(default_factory=list)
    log: list[tuple[datetime, str | None]] = field(default_factory=list)

    def digest(self) -> str | None:
        if not self.is_on:
            return None
        target = choose(self.plan, read_caller(CALLER, None).unit or "").target
        if target.version is not None:
            return self.versions[target.version - 1]
        if target.follow == Follow.LIVE:
            return self.versions[self.live - 1] if self.live else None
        return self.applied or self.draft

    def do(self, step: str, rng: random.Random) -> None:
        """One step through the services, and the same in plain Python."""
        actor, name = self.channel.route_changed_by, f"{rng.random()}"
        if step == "edit":
            content: AgentConfiguration = make_configuration(name="Clinic", system_prompt=name)
            self.draft = replace_draft(agent=self.agent, content=content, actor=actor).agent.draft_id
        elif step == "publish":
            publish(agent=self.agent, name=name, actor=actor)
            self.versions.append(self.draft)
        elif step == "live" and self.versions:
            self.live = rng.randint(1, len(self.versions))
            make_live(version=self.agent.versions.get(number=self.live), actor=actor)
        elif step == "back" and live_version(self.agent):
            self.live = rng.randint(1, len(self.versions))
            roll_back(agent=self.agent, to=self.agent.versions.get(number=self.live), reason=name, actor=actor)
        elif step == "route":
            self.plan = self._some_plan(rng)
            save_route(channel=self.channel, plan=self.plan, actor=actor)
        elif step == "switch":
            self.is_on = not self.is_on
            change_channel(channel=self.channel, is_enabled=self.is_on, actor=actor)
        elif step == "wait":
            wait_for_apply(agent=self.agent, actor=actor)
            self.applied = self.draft
        elif step == "apply" and self.applied:
            apply_draft(agent=self.agent, actor=actor)
            self.applied = self.draft
        elif step == "at once":
            serve_at_once(agent=self.agent, actor=actor)
            self.applied = None
        self.log.append((now(), self.digest()))

    def _some_plan(self, rng: random.Random) -> RoutePlan:
        targets = [Target(self.agent.slug)]
        targets += [Target(self.agent.slug, Follow.VERSION, n + 1) for n in range(len(self.versions))]
        targets += [Target(self.agent.slug, Follow.LIVE)] if self.live else []
        if len(targets) > 1 and rng.random() < 0.5:
            first, second = rng.sample(targets, 2)
            share = rng.randint(1, 99_999)
            return plan_test([WantedVariant("A", first, share), WantedVariant("B", second, 100_000 - share)])
        return single(rng.choice(targets))


STEPS = ("edit", "publish", "live", "back", "route", "switch", "wait", "apply", "at once")


@given(steps=st.lists(st.sampled_from(STEPS), min_size=5, max_size=25), seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_asked_at_any_moment_equals_a_naive_replay(steps: list[str], seed: int) -> None:
    rng = random.Random(seed)
    agent = make_agent()
    channel = make_channel(agent)
    replay = Replay(agent, channel, single(Target(agent.slug)), draft=agent.draft_id)
    replay.log.append((now(), replay.digest()))
    for step in ("publish", *steps):
        replay.do(step, rng)
    for (since, digest), (until, _) in zip(replay.log, [*replay.log[1:], (now(), None)], strict=True):
        # The step that ended at `until` happened in between; at `since` it had surely not begun.
        said = answered_at(channel, since, caller=CALLER)
        assert said.digest == digest, (since, until, said)
    assert answered_at(channel, replay.log[-1][0] + timedelta(days=1), caller=CALLER).digest == replay.digest()
    explained: Any = explain(Channel.objects.with_route().get(pk=channel.pk), caller=CALLER).answer
    assert (explained.digest if explained else None) == replay.digest()
