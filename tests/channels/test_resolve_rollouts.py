"""Rollouts in /resolve: who gets the canary, who never does, what is kept of it, and how soon a share is heard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentversions.models import Agent, AgentVersion, User
from agentversions.services.deployments import make_live
from channels.core.bucketing import bucket_of
from channels.core.caller_keys import CallerKeys
from channels.core.resolution import verify
from channels.core.rollout_states import State
from channels.core.routes import Follow, Target, WantedVariant
from channels.models import Channel, Rollout
from channels.runtime.application import Runtime
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

from .rows import move, put_rollout
from .runtime import call, eventually, resolve_token, running
from .test_outage import has_copied

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER, SECRET, SALT = "+33198765432", "a secret", "salt of the rollout"
AWAY = "postgres://nobody:x@127.0.0.1:1/none"
CALLERS = [f"+336123{number:05d}" for number in range(60)]


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic")


@pytest.fixture
def operator() -> User:
    return make_user("operator")


@pytest.fixture
def versions(agent: Agent, operator: User) -> list[AgentVersion]:
    """V1 is live; V2 and V3 are there."""
    found = [make_version(agent, system_prompt=f"Prompt {number}.") for number in (1, 2, 3)]
    make_live(version=found[0], actor=operator)
    return found


@pytest.fixture
def rollout(versions: list[AgentVersion]) -> Rollout:
    return put_rollout(versions[0], versions[1], shares=(30_000, 60_000))


@pytest.fixture
def channel(agent: Agent, operator: User, rollout: Rollout) -> Channel:
    channel = make_channel(agent, address=NUMBER)
    return pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=operator)


@pytest.fixture
def token() -> str:
    return resolve_token()


@pytest.fixture
def runtime(tmp_path: Path, channel: Channel) -> Iterator[Runtime]:
    with running(tmp_path / "store.sqlite3", caller_secret=SECRET) as runtime:
        yield runtime


def ask(runtime: Runtime, token: str, caller: str | None = CALLERS[0], **question: Any) -> dict[str, Any]:
    asked = {"number": NUMBER, "caller": caller, "call_id": f"c {caller}", **question}
    said = call(runtime, asked, token=token)
    assert said.status == 200, said.json
    return said.json


def versions_of(runtime: Runtime, token: str) -> list[int]:
    return [ask(runtime, token, caller)["version"] for caller in CALLERS]


def by_rule(share: int) -> list[int]:
    """V2 for those whose bucket is below the share."""
    return [2 if bucket_of(SALT, caller) < share else 1 for caller in CALLERS]


def noted(runtime: Runtime) -> list[list[Any]]:
    """The lines of the spool, read before they are shipped."""
    return [json.loads(line) for path in runtime.routed.segments() for line in path.read_bytes().splitlines()]


def test_callers_are_split_by_their_bucket_the_same_in_every_worker(
    runtime: Runtime, token: str, tmp_path: Path
) -> None:
    assert versions_of(runtime, token) == by_rule(30_000)
    assert set(by_rule(30_000)) == {1, 2}
    with running(tmp_path / "other.sqlite3", caller_secret=SECRET) as other:
        assert versions_of(other, token) == by_rule(30_000)
    caller = CALLERS[by_rule(30_000).index(2)]
    for way in (caller.replace("+33", "0"), f"sip:{caller}@example.com", caller.replace("+33", "0033 "), caller):
        assert ask(runtime, token, way)["version"] == 2


def test_the_answer_and_its_token_say_arm_and_share(
    runtime: Runtime, token: str, rollout: Rollout, versions: list[AgentVersion]
) -> None:
    for arm, number in (("canary", 2), ("stable", 1)):
        caller = CALLERS[by_rule(30_000).index(number)]
        said = ask(runtime, token, caller)
        version = versions[number - 1]
        assert said["rollout"] == {"arm": arm, "share": 30.0}
        assert (said["reason"], said["share"], said["variant"], said["sticky"]) == ("SPLIT", 100.0, None, True)
        assert (said["version_name"], said["digest"]) == (version.name, version.configuration_id)
        assert said["effective_digest"] == said["digest"]
        assert said["configuration"]["system_prompt"] == f"Prompt {number}."
        payload = verify(said["resolution"], keys=runtime.world.keys, now=time.time())
        assert payload["o"] == {"i": rollout.pk, "m": arm, "s": 30_000, "b": bucket_of(SALT, caller), "y": True}
        assert (payload["v"], payload["d"], payload["w"]) == (number, version.configuration_id, "SPLIT")
        again = ask(runtime, token, caller)
        assert {**again, "resolution": ""} == {**said, "resolution": ""}


def test_a_growing_share_lets_nobody_go_and_is_heard_as_fast_as_a_pin(
    runtime: Runtime, token: str, rollout: Rollout
) -> None:
    before = versions_of(runtime, token)
    move(rollout, step=1)
    eventually(lambda: ask(runtime, token)["rollout"]["share"] == 60.0, 1)
    after = versions_of(runtime, token)
    assert after == by_rule(60_000)
    assert all(now == 2 for was, now in zip(before, after, strict=True) if was == 2)
    assert after != before


@pytest.mark.parametrize("state", [State.PAUSED, State.HELD])
def test_a_rollout_that_waits_for_a_person_keeps_its_callers(
    runtime: Runtime, token: str, rollout: Rollout, state: State
) -> None:
    move(rollout, state=state)
    time.sleep(0.3)
    assert versions_of(runtime, token) == by_rule(30_000)


@pytest.mark.parametrize("state", [State.UNHEALTHY, State.ROLLED_BACK, State.CANCELLED, State.PROMOTED])
def test_a_canary_with_no_share_is_nowhere(runtime: Runtime, token: str, rollout: Rollout, state: State) -> None:
    assert 2 in versions_of(runtime, token)
    move(rollout, state=state)
    eventually(lambda: ask(runtime, token)["rollout"] is None, 1)
    assert set(versions_of(runtime, token)) == {1}
    said = ask(runtime, token, CALLERS[by_rule(30_000).index(2)])
    assert said["reason"] == "STATIC"
    assert "o" not in verify(said["resolution"], keys=runtime.world.keys, now=time.time())


def test_a_rollout_whose_baseline_is_no_longer_live_splits_nobody(
    runtime: Runtime, token: str, versions: list[AgentVersion], operator: User
) -> None:
    make_live(version=versions[2], actor=operator)
    eventually(lambda: ask(runtime, token)["version"] == 3, 1)
    assert set(versions_of(runtime, token)) == {3}


def test_drafts_and_pins_are_not_split_and_a_test_is_split_where_it_follows_live(
    runtime: Runtime, token: str, channel: Channel, operator: User
) -> None:
    for target, version in ((Target("clinic", Follow.VERSION, 1), 1), (Target("clinic"), None)):
        pin(channel=channel, target=target, actor=operator)
        eventually(lambda version=version: ask(runtime, token)["version"] == version, 1)  # type: ignore[misc]
        assert {ask(runtime, token, caller)["rollout"] is None for caller in CALLERS} == {True}
    wanted = [
        WantedVariant("Live", Target("clinic", Follow.LIVE), 50_000),
        WantedVariant("Three", Target("clinic", Follow.VERSION, 3), 50_000),
    ]
    save_route(channel=channel, plan=plan_test(wanted), actor=operator)
    eventually(lambda: ask(runtime, token)["variant"] is not None, 1)
    answers = [ask(runtime, token, caller) for caller in CALLERS]
    for said, ruled in zip(answers, by_rule(30_000), strict=True):
        assert said["version"] == (ruled if said["variant"] == "Live" else 3)
        assert (said["rollout"] is not None) == (said["variant"] == "Live")
        assert (said["reason"], said["share"]) == ("SPLIT", 50.0)
    assert {said["version"] for said in answers} == {1, 2, 3}


def test_a_withheld_caller_counts_by_the_call_and_is_not_analysed(runtime: Runtime, token: str) -> None:
    for number in range(20):
        said = ask(runtime, token, "anonymous", call_id=f"call {number}")
        payload = verify(said["resolution"], keys=runtime.world.keys, now=time.time())
        assert said["version"] == (2 if bucket_of(SALT, f"call {number}") < 30_000 else 1)
        assert (said["unit"], said["sticky"], payload["o"]["y"]) == ("call_id", False, False)


def test_what_was_routed_is_noted_with_the_keyed_hash_and_previews_are_not(
    runtime: Runtime, token: str, rollout: Rollout, channel: Channel, operator: User
) -> None:
    runtime.shipper.stop()
    before = time.time()
    ask(runtime, token, call_id=None)
    ask(runtime, token, "06 12 30 00 00", call_id="c-1")
    ask(runtime, token, "anonymous", call_id="c-2")
    pin(channel=channel, target=Target("clinic"), actor=operator)
    eventually(lambda: ask(runtime, token, call_id=None)["version"] is None, 1)
    ask(runtime, token, call_id="c-3")
    first, second = noted(runtime)
    bucket, hashed = bucket_of(SALT, CALLERS[0]), CallerKeys(SECRET.encode()).hash_of(CALLERS[0]).hex()
    arm = "canary" if bucket < 30_000 else "stable"
    assert first[:-1] == [rollout.pk, "c-1", hashed, arm, 30_000, bucket, NUMBER]
    assert before <= first[-1] <= time.time()
    assert second[:3] == [rollout.pk, "c-2", None]


def test_both_arms_answer_without_a_database_also_after_a_restart(runtime: Runtime, token: str, tmp_path: Path) -> None:
    eventually(lambda: has_copied(runtime))
    again = Runtime(database_url=AWAY, store=tmp_path / "store.sqlite3", memory=2**24, caller_secret=SECRET)
    again.start(patience=0.1)
    assert versions_of(again, token) == by_rule(30_000)
    assert ask(again, token)["stale"] is True
    assert ask(again, token)["rollout"] == ask(runtime, token)["rollout"]
    again.stop()


def test_the_store_follows_the_share(runtime: Runtime, token: str, tmp_path: Path, rollout: Rollout) -> None:
    eventually(lambda: has_copied(runtime))
    move(rollout, state=State.UNHEALTHY)
    eventually(lambda: has_copied(runtime))
    again = Runtime(database_url=AWAY, store=tmp_path / "store.sqlite3", memory=2**24, caller_secret=SECRET)
    again.start(patience=0.1)
    assert set(versions_of(again, token)) == {1}
    again.stop()
