"""Who answered when: exact for drafts, versions, live and tests, against a naive replay of everything that happened."""

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.core.routes import Follow, Target, WantedVariant, single
from channels.core.routing import choose
from channels.models import Channel
from channels.services.answered import answered_at
from channels.services.channels import change_channel
from channels.services.explain import explain
from channels.services.routes import pin, plan_test, save_route
from tests.channels.replay import CALLER, Replay, now
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db


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


STEPS = ("edit", "publish", "live", "back", "route", "switch", "wait", "apply", "at once")
MOVING = ("rollout", "rollout", "rollout", "flag", "flag", "flag", "follow live", "publish", "edit", "live", "route")


def check(steps: list[str], seed: int, *first: str) -> None:
    rng = random.Random(seed)
    agent = make_agent()
    channel = make_channel(agent)
    replay = Replay(agent, channel, single(Target(agent.slug)), draft=agent.draft_id)
    replay.log.append((now(), replay.digest(), replay.effective()))
    for step in ("publish", *first, *steps):
        replay.do(step, rng)
    for (since, digest, effective), (until, *_) in zip(replay.log, [*replay.log[1:], (now(), None, None)], strict=True):
        # The step that ended at `until` happened in between; at `since` it had surely not begun.
        said = answered_at(channel, since, caller=CALLER)
        assert (said.digest, said.effective) == (digest, effective), (since, until, said)
    later = answered_at(channel, replay.log[-1][0] + timedelta(days=1), caller=CALLER)
    assert (later.digest, later.effective) == (replay.digest(), replay.effective())
    explained = explain(Channel.objects.with_route().get(pk=channel.pk), caller=CALLER)
    assert (explained.answer.digest if explained.answer else None) == replay.digest()
    assert explained.effective == replay.effective()


@given(steps=st.lists(st.sampled_from(STEPS), min_size=5, max_size=25), seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_asked_at_any_moment_equals_a_naive_replay(steps: list[str], seed: int) -> None:
    check(steps, seed)


@given(steps=st.lists(st.sampled_from(MOVING), min_size=8, max_size=20), seed=st.integers(0, 2**32))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_while_rollouts_and_flags_move(steps: list[str], seed: int) -> None:
    check(steps, seed, "edit", "publish", "live", "follow live", "rollout", "flag")
