"""The Python client with rollouts and flags: its own decision is the server's, and what flags changed is what runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_versions_client import Client, Plan, Unreachable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.api.plans import plan_answer
from channels.core.caller_keys import CallerKeys
from channels.core.flag_sets import FlagInForce, FlagSet
from channels.core.flags import OFF, ON, Flag, FlagType, FlagVariant, Rule
from channels.core.rollout_steps import RolloutPlan, Step, write_plan
from channels.core.routes import Follow, Target, WantedVariant, split, write_route
from channels.core.routing import Unit
from channels.models import Channel
from channels.runtime.application import Runtime
from channels.runtime.facts import compile_route
from channels.services.explain import load_route
from channels.services.flags_in_force import load_flags
from channels.services.routes import pin
from tests.channels.rows import put_flag, put_rollout
from tests.channels.runtime import eventually, resolve_token, running
from tests.factories import make_agent, make_channel, make_user, make_version

from .test_client import Line

NUMBER, SECRET = "+33198765432", "a secret"
CALLERS = [f"+3361234{number:04d}" for number in range(80)]
GREETING = Flag("greeting", FlagType.JSON, "one", "one", variants=(FlagVariant("one", {"a": 1.5}),))
database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> User:
    return make_user("operator")


@pytest.fixture
def channel(operator: User) -> Channel:
    """On Live, which is V1; V2 goes to 40 % of the callers."""
    tool = {"name": "transfer", "endpoint": "https://example.com/t", "description": "To a person."}
    agent: Agent = make_agent(slug="clinic", tools=[tool])
    one, two = (make_version(agent, name=name, system_prompt=f"{name}.") for name in ("One", "Two"))
    make_live(version=one, actor=operator)
    put_rollout(one, two, shares=(40_000,))
    channel = make_channel(agent, address=NUMBER)
    return pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=operator)


@pytest.fixture
def line(tmp_path: Path, channel: Channel) -> Iterator[Line]:
    with running(tmp_path / "store.sqlite3", caller_secret=SECRET) as runtime:
        line = Line(runtime)
        line.runtime = runtime  # type: ignore[attr-defined]
        yield line


@pytest.fixture
def client(line: Line, tmp_path: Path) -> Client:
    return Client("http://server", resolve_token(), folder=tmp_path / "kept", transport=line, attempts=1)


def runtime_of(line: Line) -> Runtime:
    found: Runtime = line.runtime  # type: ignore[attr-defined]
    return found


def plan_of(channel: Channel, client: Client | None) -> Plan:
    """The plan as `Client.plan` makes it; configurations are stand-ins with their digest inside."""
    document = plan_answer(channel, load_route(channel.route_id), load_flags().of).model_dump(mode="json")
    arms = [arm for each in document["variants"] for arm in (each, each["rollout"]) if arm]
    return Plan(document, {arm["digest"]: {"digest": arm["digest"]} for arm in arms}, client)


@database
def test_a_plan_gives_the_arm_that_the_server_gives(
    line: Line, client: Client, channel: Channel, operator: User
) -> None:
    put_flag(GREETING, operator)
    eventually(lambda: runtime_of(line).world.flag("greeting") is not None, 1)
    plan = plan_of(channel, client)
    asked = len(line.asked)
    local = [plan.resolve(caller) for caller in CALLERS]
    assert len(line.asked) == asked
    for caller, mine in zip(CALLERS, local, strict=True):
        theirs = client.resolve(NUMBER, caller=caller, call_id=f"c {caller}")
        for name in ("version", "digest", "effective_digest", "reason", "rollout", "flags", "overlay"):
            assert getattr(mine, name) == getattr(theirs, name)
    assert {each.version for each in local} == {1, 2}
    assert local[0].flags == {"greeting": {"a": 1.5}}


@database
def test_a_call_that_a_rollout_splits_is_asked_of_the_server_and_decided_here_without_it(
    line: Line, client: Client, channel: Channel
) -> None:
    plan = plan_of(channel, client)
    there = [plan.resolve(caller, f"c {caller}") for caller in CALLERS[:20]]
    assert [question["call_id"] for question in line.asked] == [f"c {caller}" for caller in CALLERS[:20]]
    line.is_cut = True
    here = [plan.resolve(caller, f"d {caller}") for caller in CALLERS[:20]]
    assert [each.version for each in here] == [each.version for each in there]


@database
def test_a_plan_asks_the_server_where_flags_look_at_the_call(
    line: Line, client: Client, channel: Channel, operator: User
) -> None:
    hashed = CallerKeys(SECRET.encode()).hash_of(CALLERS[0]).hex()
    put_flag(Flag("off", FlagType.TOOL, ON, ON, "", "transfer", rules=(Rule("", OFF, frozenset({hashed})),)), operator)
    eventually(lambda: runtime_of(line).world.flag("off") is not None, 1)
    plan = plan_of(channel, client)
    mine, other = plan.resolve(CALLERS[0]), plan.resolve(CALLERS[1])
    assert (mine.configuration["tools"], mine.overlay) == ([], {"off": "off"})
    assert len(other.configuration["tools"]) == 1
    with pytest.raises(Unreachable, match="ask the server"):
        plan_of(channel, None).resolve(CALLERS[0])


@database
def test_what_flags_changed_is_kept_by_its_own_digest_and_sent_once(line: Line, client: Client, operator: User) -> None:
    before = client.resolve(NUMBER, caller=CALLERS[0])
    put_flag(Flag("off", FlagType.TOOL, OFF, ON, "", "transfer"), operator)
    eventually(lambda: runtime_of(line).world.flag("off") is not None, 1)
    first, second = (client.resolve(NUMBER, caller=CALLERS[0]) for _ in range(2))
    assert first.digest == before.digest != first.effective_digest
    assert first.configuration == second.configuration
    assert (len(before.configuration["tools"]), first.configuration["tools"]) == (1, [])
    assert line.asked[-1]["have"] == [before.digest, first.effective_digest]


@database
def test_what_was_let_go_of_after_have_was_sent_is_asked_for_again(line: Line, client: Client, operator: User) -> None:
    put_flag(Flag("off", FlagType.TOOL, OFF, ON, "", "transfer"), operator)
    eventually(lambda: runtime_of(line).world.flag("off") is not None, 1)
    first = client.resolve(NUMBER, caller=CALLERS[0])
    nothing = Client("http://server", client._http.headers["Authorization"][7:], transport=line)
    nothing._store._bodies = _Forgetful({first.effective_digest: {}})
    assert nothing.resolve(NUMBER, caller=CALLERS[0]).configuration == first.configuration
    assert "have" not in line.asked[-1]


class _Forgetful(dict[str, Any]):
    """Names digests and has none of them, until one is kept."""

    def __contains__(self, key: object) -> bool:
        return False


@database
def test_without_the_server_nobody_gets_the_canary_that_somebody_else_got_last(line: Line, client: Client) -> None:
    answers = {caller: client.resolve(NUMBER, caller=caller, call_id="c").version for caller in CALLERS[:20]}
    assert list(answers.values())[-1] in (1, 2)
    assert 2 in answers.values()
    client.resolve(NUMBER, caller=next(caller for caller, version in answers.items() if version == 2))
    line.is_cut = True
    assert client.resolve(NUMBER, caller="+33600000000").version == 1


@st.composite
def plans(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A test of two variants, one or both on Live, and the rollout of their agent: the plan's JSON and its targets."""
    salt, share = draw(st.sampled_from(["a", "b"])), draw(st.integers(1, 99_999))
    plan = write_plan(RolloutPlan("clinic", 2, 1, draw(st.sampled_from(["x", "y"])), (Step(share, 2.0),)))
    rollout = [7, plan, draw(st.sampled_from(["running", "paused", "held", "unhealthy"])), 0, 2, "Two", "2" * 64]
    first = draw(st.integers(0, 100_000))
    pinned = draw(st.booleans())
    wanted = [
        WantedVariant("A", Target("clinic", Follow.LIVE), first),
        WantedVariant(
            "B", Target("clinic", Follow.VERSION, 1) if pinned else Target("clinic", Follow.LIVE), 100_000 - first
        ),
    ]
    live = ["clinic", 1, "One", "1" * 64, rollout]
    return write_route(split(wanted, salt=salt)), [live, [*live[:4], None] if pinned else live]


@given(plans(), st.lists(st.sampled_from(CALLERS), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@database
def test_any_plan_decides_as_the_server_does(made: tuple[str, list[Any]], callers: list[str]) -> None:
    body, targets = made
    route = compile_route("route", body, targets)
    flags = FlagSet((FlagInForce(GREETING, 1),))
    document = plan_answer(Channel(address=NUMBER), route, lambda agent: flags).model_dump(mode="json")
    plan = Plan(document, {"1" * 64: {}, "2" * 64: {}})
    for caller in callers:
        served, answer = route.serve(caller, Unit.CALLER)
        mine = plan.resolve(caller)
        arm = json.loads(
            b"{%s}" % route.pieces[served.route.index][served.assignment.arm if served.assignment else None]
        )
        assert (mine.version, mine.digest, mine.variant) == (answer.version, answer.digest, served.route.variant)
        assert (mine.reason, mine.rollout) == (arm["reason"], arm["rollout"])
        assert mine.flags == {"greeting": {"a": 1.5}}
