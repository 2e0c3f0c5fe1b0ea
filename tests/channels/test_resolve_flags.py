"""Flags in /resolve: the configuration changes for whom a rule takes, the version never does, and no call fails."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agentversions.core.digest import digest_of
from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.bucketing import bucket_of
from channels.core.caller_keys import CallerKeys
from channels.core.flag_overlay import Change, overlay
from channels.core.flags import OFF, ON, Flag, FlagType, FlagVariant, Rule, Schedule
from channels.core.resolution import verify
from channels.core.routes import Follow, Target
from channels.models import FlagRevision
from channels.runtime.application import Runtime
from channels.services.routes import pin
from tests.factories import make_agent, make_channel, make_user, make_version

from .rows import put_flag, put_rollout
from .runtime import Answered, call, eventually, resolve_token, running
from .test_outage import has_copied

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER, CALLER, SECRET = "+33198765432", "+33612345678", "a secret"
AWAY = "postgres://nobody:x@127.0.0.1:1/none"
HASHED = CallerKeys(SECRET.encode()).hash_of(CALLER).hex()
TOOL_OFF = Flag(
    "transfer-off", FlagType.TOOL, ON, ON, "clinic", "transfer", rules=(Rule("", OFF, frozenset({HASHED})),)
)
NAME = Flag("other-model", FlagType.PATH, "new", "version", "", "model.name", (FlagVariant("new", "other"),))
GREETING = Flag("greeting", FlagType.STRING, "hi", "hi", variants=(FlagVariant("hi", "Hi"), FlagVariant("yo", "Yo")))


@pytest.fixture
def operator() -> User:
    return make_user("operator")


@pytest.fixture
def agent() -> Agent:
    tool = {"name": "transfer", "endpoint": "https://example.com/t", "description": "To a person."}
    agent = make_agent(slug="clinic", tools=[tool])
    make_channel(agent, address=NUMBER)
    return agent


@pytest.fixture
def token() -> str:
    return resolve_token()


@pytest.fixture
def runtime(tmp_path: Path, agent: Agent) -> Iterator[Runtime]:
    with running(tmp_path / "store.sqlite3", caller_secret=SECRET) as runtime:
        yield runtime


def ask(runtime: Runtime, token: str, caller: str | None = CALLER, **question: Any) -> Answered:
    return call(runtime, {"number": NUMBER, "caller": caller, "call_id": "c-1", **question}, token=token)


def payload_of(runtime: Runtime, said: dict[str, Any]) -> dict[str, Any]:
    return verify(said["resolution"], keys=runtime.world.keys, now=time.time())


def put(runtime: Runtime, flag: Flag, actor: User) -> None:
    """Save a flag and wait, no longer than a pin may take, until the runtime has it."""
    revision = put_flag(flag, actor)

    def is_heard() -> bool:
        known = runtime.world.flag(flag.key)
        return known is not None and known.revision == revision.number

    eventually(is_heard, 1)


def test_a_tool_is_switched_off_for_one_caller_without_a_new_version(
    runtime: Runtime, token: str, agent: Agent, operator: User
) -> None:
    put(runtime, TOOL_OFF, operator)
    mine, other = ask(runtime, token, "06 12 34 56 78"), ask(runtime, token, "+33687654321").json
    assert mine.json["configuration"]["tools"] == []
    assert mine.json["overlay"] == {"transfer-off": "off"}
    assert mine.json["digest"] == agent.draft_id
    text = mine.body.decode()
    sent = text[text.index('"configuration":') + len('"configuration":') : -1]
    assert digest_of(sent) == mine.json["effective_digest"] != agent.draft_id
    payload = payload_of(runtime, mine.json)
    assert (payload["d"], payload["e"], payload["x"]) == (
        agent.draft_id,
        mine.json["effective_digest"],
        {"transfer-off": [1, "off"]},
    )
    assert (other["overlay"], other["effective_digest"]) == ({}, agent.draft_id)
    assert len(other["configuration"]["tools"]) == 1
    assert {"e", "x"}.isdisjoint(payload_of(runtime, other))
    assert ask(runtime, token, "anonymous").json["overlay"] == {}


def test_have_is_compared_with_what_would_be_sent(runtime: Runtime, token: str, agent: Agent, operator: User) -> None:
    put(runtime, TOOL_OFF, operator)
    effective = ask(runtime, token).json["effective_digest"]
    assert "configuration" in ask(runtime, token, have=[agent.draft_id]).json
    assert "configuration" not in ask(runtime, token, have=[effective]).json


def test_a_kill_switch_reaches_every_worker_as_fast_as_a_pin(
    runtime: Runtime, token: str, tmp_path: Path, operator: User
) -> None:
    put(runtime, TOOL_OFF, operator)
    with running(tmp_path / "other.sqlite3", caller_secret=SECRET) as other:
        put_flag(replace(TOOL_OFF, is_enabled=False), operator)
        for each in (runtime, other):
            eventually(lambda each=each: ask(each, token).json["overlay"] == {}, 1)  # type: ignore[misc]


def test_plain_values_of_the_agent_and_of_all_are_in_the_answer(runtime: Runtime, token: str, operator: User) -> None:
    make_agent(slug="elsewhere")
    put(runtime, replace(GREETING, key="not-mine", agent="elsewhere"), operator)
    put(runtime, replace(GREETING, key="mine", agent="clinic"), operator)
    value = {"configuration": {"a": [1.5, None]}}
    put(runtime, Flag("json", FlagType.JSON, "one", "one", variants=(FlagVariant("one", value),)), operator)
    put(runtime, Flag("rate", FlagType.NUMBER, "one", "one", variants=(FlagVariant("one", 1),)), operator)
    put(runtime, replace(GREETING, rules=(Rule("", "yo", share=50_000, salt="s"),)), operator)
    said = ask(runtime, token)
    expected = "Yo" if bucket_of("s", CALLER) < 50_000 else "Hi"
    assert said.json["flags"] == {"greeting": expected, "json": value, "mine": "Hi", "rate": 1.0}
    assert b'"rate":1.0' in said.body
    assert said.json["overlay"] == {}
    assert {ask(runtime, token, f"+3361234567{n}").json["flags"]["greeting"] for n in range(10)} == {"Hi", "Yo"}


def test_a_schedule_counts_in_the_time_zone_of_the_number(runtime: Runtime, token: str, operator: User) -> None:
    agent = Agent.objects.get(slug="clinic")
    for address, zone in (("+33198765433", "Pacific/Kiritimati"), ("+33198765434", "Pacific/Pago_Pago")):
        make_channel(agent, address=address, time_zone=zone)
    local = datetime.now(UTC).astimezone(ZoneInfo("Pacific/Kiritimati"))
    minute = local.hour * 60 + local.minute
    # Two hours around now there, also past midnight; elsewhere it is 25 hours earlier: another day.
    around = Schedule((), (minute - 60) % 1440, (minute + 60) % 1440, last=None, first=None)
    put(runtime, replace(GREETING, rules=(Rule("", "yo", schedule=replace(around, days=_days(local))),)), operator)
    heard = {
        address: ask(runtime, token, number=address).json["flags"]["greeting"]
        for address in ("+33198765433", "+33198765434")
    }
    assert heard == {"+33198765433": "Yo", "+33198765434": "Hi"}


def _days(local: datetime) -> tuple[int, ...]:
    """The day of a window that began up to an hour ago, perhaps before midnight."""
    began = local.timestamp() - 3600
    return (datetime.fromtimestamp(began, local.tzinfo).isoweekday(),)


def test_a_canary_is_overlaid_like_any_version_and_its_token_names_the_canary(
    runtime: Runtime, token: str, agent: Agent, operator: User
) -> None:
    stable, canary = (make_version(agent, name=name, system_prompt=f"{name}.") for name in ("Stable", "Canary"))
    make_live(version=stable, actor=operator)
    put_rollout(stable, canary, shares=(50_000,))
    pin(channel=agent_channel(), target=Target("clinic", Follow.LIVE), actor=operator)
    put(runtime, NAME, operator)
    eventually(lambda: ask(runtime, token).json["rollout"] is not None, 1)
    seen = {}
    for number in range(20):
        said = ask(runtime, token, f"+336123456{number:02d}").json
        seen[said["rollout"]["arm"]] = said
    for arm, version in (("stable", stable), ("canary", canary)):
        said = seen[arm]
        assert (said["digest"], said["overlay"]) == (version.configuration_id, {"other-model": "new"})
        assert said["configuration"]["model"]["name"] == "other"
        assert payload_of(runtime, said)["d"] == version.configuration_id
    assert seen["stable"]["effective_digest"] != seen["canary"]["effective_digest"]


def agent_channel() -> Any:
    from channels.models import Channel

    return Channel.objects.get(address=NUMBER)


def test_what_does_not_fit_is_skipped_counted_and_said_once_a_minute(
    runtime: Runtime, token: str, agent: Agent, operator: User, caplog: pytest.LogCaptureFixture
) -> None:
    too_hot = Flag("hot", FlagType.PATH, "new", "version", "", "model.temperature", (FlagVariant("new", 7),))
    put(runtime, too_hot, operator)
    put(runtime, NAME, operator)
    for _ in range(3):
        said = ask(runtime, token)
        assert (said.status, said.json["overlay"]) == (200, {"other-model": "new"})
    assert call(runtime, path="/readyz", method="GET").json["flags_skipped"] == 3
    lines = [record.message for record in caplog.records if "was skipped" in record.message]
    assert len(lines) == 1
    assert "“hot” was skipped: Temperature must be at most 2" in lines[0]


def test_a_call_can_be_reproduced_from_its_token(runtime: Runtime, token: str, agent: Agent, operator: User) -> None:
    for flag in (TOOL_OFF, NAME, replace(NAME, default="version"), NAME):
        put(runtime, flag, operator)
    payload = payload_of(runtime, ask(runtime, token).json)
    assert payload["x"] == {"other-model": [3, "new"], "transfer-off": [1, "off"]}
    changes = []
    for key, (number, variant) in payload["x"].items():
        flag = FlagRevision.objects.get(flag__key=key, number=number).value
        changes.append(Change(key, flag.type, flag.subject, flag.value_of(variant)))
    assert overlay(agent.draft.body, tuple(changes)).digest == payload["e"]


def test_flags_act_without_a_database_also_after_a_restart_and_never_from_a_damaged_store(
    runtime: Runtime, token: str, tmp_path: Path, operator: User
) -> None:
    path = tmp_path / "store.sqlite3"
    put(runtime, TOOL_OFF, operator)
    put(runtime, GREETING, operator)
    said = ask(runtime, token).json
    eventually(lambda: has_copied(runtime))
    runtime.stop()
    again = Runtime(database_url=AWAY, store=path, memory=2**24, caller_secret=SECRET)
    again.start(patience=0.1)
    away = ask(again, token).json
    for name in ("overlay", "flags", "effective_digest", "configuration"):
        assert away[name] == said[name]
    assert away["stale"] is True
    again.stop()
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE flags SET number = number + 1")
    damaged = Runtime(database_url=AWAY, store=path, memory=2**24, caller_secret=SECRET)
    damaged.start(patience=0.1)
    assert ask(damaged, token).status == 503
    damaged.stop()


def test_the_configuration_is_the_first_text_of_its_name_in_the_answer(
    runtime: Runtime, token: str, operator: User
) -> None:
    put(runtime, replace(NAME, key="configuration"), operator)
    put(runtime, replace(GREETING, key="configuration-2", variants=(FlagVariant("hi", '"configuration":'),)), operator)
    said = ask(runtime, token)
    text = said.body.decode()
    assert json.loads(text[text.index('"configuration":') + len('"configuration":') : -1]) == said.json["configuration"]
    assert said.json["overlay"] == {"configuration": "new"}
