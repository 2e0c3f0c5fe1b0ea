"""Resolving a call: what answers, in what words it is refused, and how soon a change is heard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentversions.models import Agent
from agentversions.services.deployments import make_live
from agentversions.services.tokens import find_token, revoke_token
from channels.core.resolution import verify
from channels.core.routes import Follow, Target, WantedVariant
from channels.core.routing import choose
from channels.models import Channel, MissedNumber
from channels.runtime.application import Runtime
from channels.services.channels import change_channel
from channels.services.draft_serving import apply_draft, wait_for_apply
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

from .runtime import Answered, call, eventually, resolve_token, running

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = "+33612345678"


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic")


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432")


@pytest.fixture
def token() -> str:
    return resolve_token()


@pytest.fixture
def runtime(tmp_path: Path, channel: Channel) -> Iterator[Runtime]:
    with running(tmp_path / "store.sqlite3") as runtime:
        yield runtime


def ask(runtime: Runtime, token: str, **question: object) -> Answered:
    return call(runtime, {"number": "+33198765432", "caller": CALLER, "call_id": "c-1", **question}, token=token)


def test_a_number_on_the_draft_answers_with_the_draft(runtime: Runtime, token: str, agent: Agent) -> None:
    said = ask(runtime, token)
    assert said.status == 200
    resolution = said.json.pop("resolution")
    generation = said.json.pop("generation")
    assert said.json == {
        "number": "+33198765432",
        "agent": "clinic",
        "version": None,
        "version_name": None,
        "digest": agent.draft_id,
        "variant": None,
        "reason": "STATIC",
        "share": 100.0,
        "rollout": None,
        "effective_digest": agent.draft_id,
        "flags": {},
        "overlay": {},
        "unit": "caller",
        "sticky": True,
        "stale": False,
        "configuration": json.loads(agent.draft.body),
    }
    assert agent.draft.body.encode() in said.body
    assert generation > 0
    payload = verify(resolution, keys=runtime.world.keys, now=time.time())
    assert (payload["n"], payload["a"], payload["v"], payload["d"]) == ("+33198765432", "clinic", None, agent.draft_id)
    assert payload["c"] == "c-1"


def test_every_change_is_heard(runtime: Runtime, token: str, agent: Agent, channel: Channel) -> None:
    operator = make_user("operator")

    def answers(version: int | None) -> None:
        eventually(lambda: ask(runtime, token).json["version"] == version, 1)

    answers(None)
    first = make_version(agent, system_prompt="First.")
    second = make_version(agent, system_prompt="Second.")
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=operator)
    answers(1)
    make_live(version=second, actor=operator)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=operator)
    answers(2)
    make_live(version=first, actor=operator)
    answers(1)


def test_edits_wait_for_apply_where_that_is_chosen(runtime: Runtime, token: str, agent: Agent) -> None:
    before = agent.draft_id
    wait_for_apply(agent=agent, actor=agent.created_by)
    make_version(agent, system_prompt="A new beginning.")
    agent.refresh_from_db()
    time.sleep(0.2)
    assert ask(runtime, token).json["digest"] == before != agent.draft_id
    apply_draft(agent=agent, actor=agent.created_by)
    eventually(lambda: ask(runtime, token).json["digest"] == agent.draft_id, 1)


def test_a_test_splits_callers_as_the_core_says_and_they_stay(
    runtime: Runtime, token: str, agent: Agent, channel: Channel
) -> None:
    make_version(agent)
    wanted = [
        WantedVariant("Control", Target("clinic", Follow.VERSION, 1), 70_000),
        WantedVariant("Draft", Target("clinic"), 30_000),
    ]
    plan = plan_test(wanted)
    save_route(channel=channel, plan=plan, actor=make_user("operator"))
    eventually(lambda: ask(runtime, token).json["reason"] == "SPLIT", 1)
    for number in range(200):
        caller = f"+336123{number:05d}"
        said = ask(runtime, token, caller=caller).json
        assert said["variant"] == choose(plan, caller).variant
        assert said["share"] == {"Control": 70.0, "Draft": 30.0}[said["variant"]]
    assert {ask(runtime, token, caller=f"+3361230000{n}").json["variant"] for n in range(10)} == {"Control", "Draft"}
    for way in ("06 12 34 56 78", "0033612345678", "+33 (0)6 12 34 56 78", "sip:+33612345678@example.com"):
        assert ask(runtime, token, caller=way).json["variant"] == choose(plan, CALLER).variant


def test_a_withheld_caller_is_counted_by_the_call_and_the_answer_says_so(runtime: Runtime, token: str) -> None:
    for caller in ("anonymous", "+266696687", None, ""):
        said = ask(runtime, token, caller=caller).json
        assert (said["unit"], said["sticky"]) == ("call_id", False)
    assert ask(runtime, token, caller=None, call_id=None).json["unit"] == "chance"


def test_have_leaves_out_the_configuration_never_the_decision(runtime: Runtime, token: str, agent: Agent) -> None:
    said = ask(runtime, token, have=["0" * 64, agent.draft_id]).json
    assert "configuration" not in said
    assert said["digest"] == agent.draft_id
    assert said["resolution"]


def test_without_a_call_id_it_is_a_preview(runtime: Runtime, token: str) -> None:
    assert ask(runtime, token, call_id=None).json["resolution"] is None


@pytest.mark.parametrize(
    ("question", "status", "words"),
    [
        (b"", 400, "no JSON"),
        (b"[]", 400, "JSON object"),
        (b"[" * 60_000, 400, "no JSON"),
        (b'{"number": 33198765432}', 422, "Send `number`"),
        (b"{}", 422, "Send `number`"),
        (b" " * 1_000_000, 413, "more than 64 kB"),
        ({"number": "+33198765432", "caller": "x" * 1025}, 422, "`caller` has more than 1024 bytes"),
        ({"number": "+33198765432", "caller": 5}, 422, "`caller` is a text"),
        ({"number": "+33198765432", "call_id": "x" * 257}, 422, "`call_id` has more than 256"),
        ({"number": "+33198765432", "have": "abc"}, 422, "`have` is a list"),
        ({"number": "+33198765432", "context": []}, 422, "`context` is an object"),
        ({"number": "+33198765433"}, 404, "There is no channel +33 1 98 76 54 33"),
        ({"number": "nobody\x00"}, 404, "There is no channel"),
    ],
)
def test_bad_input_gets_a_sentence(runtime: Runtime, token: str, question: object, status: int, words: str) -> None:
    said = call(runtime, question, token=token)
    assert (said.status, said.headers["Content-Type"]) == (status, "application/problem+json")
    assert words in said.json["detail"]


@pytest.mark.parametrize("number", ["nobody\x00", "\ud800", "+33\xa01", "📞", "'; --", "a" * 128])
def test_no_odd_number_makes_the_database_seem_away(runtime: Runtime, token: str, number: str) -> None:
    assert call(runtime, {"number": number}, token=token).status == 404
    runtime.world.channels.clear()
    assert ask(runtime, token).json["stale"] is False
    runtime.listener._wrote_misses_at = 0
    eventually(lambda: MissedNumber.objects.count() == 1)


@pytest.mark.parametrize("caller", ["a\x00b", "📞", "\ud800", "x" * 1024])
def test_odd_callers_are_answered(runtime: Runtime, token: str, caller: str) -> None:
    assert ask(runtime, token, caller=caller).status == 200


def test_a_channel_that_is_off_and_an_unknown_number_answer_404_and_are_listed(
    runtime: Runtime, token: str, channel: Channel
) -> None:
    change_channel(channel=channel, is_enabled=False, actor=make_user("operator"))
    eventually(lambda: ask(runtime, token).status == 404, 1)
    assert "switched off" in ask(runtime, token).json["detail"]
    call(runtime, {"number": "+33198765400"}, token=token)
    runtime.listener._wrote_misses_at = 0
    eventually(lambda: MissedNumber.objects.filter(number="+33198765400", why="Unknown number").exists())
    assert MissedNumber.objects.get(number="+33198765432").times >= 2


def test_only_a_valid_token_with_the_scope_opens_it(runtime: Runtime, token: str) -> None:
    assert ask(runtime, resolve_token("read", "write")).status == 401
    assert ask(runtime, "").status == 401
    assert ask(runtime, "av_wrong").status == 401
    assert ask(runtime, token).status == 200
    found = find_token(token)
    assert found is not None
    revoke_token(token=found, actor=found.owner)
    eventually(lambda: ask(runtime, token).status == 401, 1)


def test_a_person_who_left_takes_the_tokens_with_them(runtime: Runtime, token: str) -> None:
    assert ask(runtime, token).status == 200
    found = find_token(token)
    assert found is not None
    found.owner.is_active = False
    found.owner.save()
    eventually(lambda: ask(runtime, token).status == 401, 1)


def test_health_and_readiness(runtime: Runtime) -> None:
    assert call(runtime, path="/healthz", method="GET").json == {"status": "alive"}
    ready = call(runtime, path="/readyz", method="GET")
    assert (ready.status, ready.json["status"], ready.json["stale"]) == (200, "ready", False)
    assert call(runtime, path="/api/v1/resolve", method="GET").status == 405
