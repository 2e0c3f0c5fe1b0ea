"""Calls under rollouts and flags: what of the decision stays, how they are found, and the configuration made again."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from agentversions.core.digest import digest_of
from agentversions.models import Agent, Configuration, User
from agentversions.services.tokens import make_token
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant
from channels.core.rollout_states import By, Move
from channels.core.routes import Follow, Target, single
from channels.models import Flag, Rollout
from channels.services.flags import create_flag, switch_flag
from channels.services.rollouts import move_rollout
from monitoring.core.records import read_record
from monitoring.models import Call
from monitoring.services.call_page import find_call
from monitoring.services.handling import handling_of
from monitoring.services.ingest import ingest
from tests.channels.running_rollouts import make_rollout
from tests.channels.runtime import call as ask
from tests.channels.runtime import resolve_token, running
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+33198765432"
SWITCH = FlagValue("no-transfer", FlagType.TOOL, "off", "on", agent="clinic", subject="transfer_to_human")
WELCOME = FlagValue(
    "welcome", FlagType.PATH, "warm", "version", agent="clinic", subject="welcome_message",
    variants=(FlagVariant("warm", "Hello from a flag."),),
)  # fmt: skip


@pytest.fixture
def operator() -> User:
    return make_user("operator", time_zone="UTC")


@pytest.fixture
def agent(operator: User) -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent)
    make_version(agent, system_prompt="Answer in French.")
    return agent


@pytest.fixture
def rollout(agent: Agent, operator: User) -> Rollout:
    rollout = make_rollout(agent, actor=operator)
    make_channel(agent, address=NUMBER, plan=single(Target("clinic", Follow.LIVE)), actor=operator)
    return rollout


def take(sender_id: str, **fields: Any) -> Call:
    document = {"id": sender_id, "started_at": datetime.now(UTC).isoformat(), "duration_s": 60, **fields}
    ingest([read_record(document)], source="api")
    found = find_call(sender_id)
    assert found is not None
    return found


def resolved(store: Path, count: int = 1) -> list[dict[str, Any]]:
    """What the runtime answers to so many callers."""
    token = resolve_token()
    with running(store / "store.sqlite3") as runtime:
        return [
            ask(runtime, {"number": NUMBER, "caller": f"+3361234{n:04d}", "call_id": f"c-{n}"}, token=token).json
            for n in range(count)
        ]


def test_a_call_is_shown_with_its_arm_and_found_by_it(tmp_path: Path, rollout: Rollout, operator: User) -> None:
    answers = resolved(tmp_path, 40)
    for number, answer in enumerate(answers):
        take(f"c-{number}", resolution=answer["resolution"])
    arms = {f"c-{number}": answer["rollout"]["arm"] for number, answer in enumerate(answers)}
    canary = next(each for each, arm in arms.items() if arm == "canary")
    client = Client()
    client.force_login(operator)
    page = client.get(f"/calls/{canary}/").content.decode()
    assert "Canary arm at 10 %" in page
    assert f"/rollouts/{rollout.pk}/" in page
    for arm in ("canary", "stable"):
        table = client.get(f"/calls/?rollout={rollout.pk}&arm={arm}", headers={"HX-Request": "true"}).content.decode()
        for sender_id, each in arms.items():
            assert (f'/calls/{sender_id}/"' in table) == (each == arm)
    both = client.get(f"/calls/?rollout={rollout.pk}").content.decode()
    assert both.count('href="/calls/c-') >= 40
    assert f"Rollout: {rollout.pk}" in " ".join(re.sub("<[^>]*>", "", both).split())
    assert "is no rollout" in client.get("/calls/?rollout=x").content.decode()
    assert "Choose the rollout as well" in client.get("/calls/?arm=canary").content.decode()
    assert 'href="/calls/c-' not in client.get(f"/calls/?rollout={rollout.pk + 1}").content.decode()


def test_a_call_without_a_resolution_is_attributed_to_the_arm_of_that_time(rollout: Rollout, operator: User) -> None:
    callers = [f"+3361234{number:04d}" for number in range(60)]
    during = datetime.now(UTC)
    calls = [
        take(f"a-{n}", called=NUMBER, caller=caller, started_at=during.isoformat()) for n, caller in enumerate(callers)
    ]
    assert {call.version for call in calls} == {1, 2}
    for call in calls:
        said = (call.decision or {})["o"]
        assert (said["i"], said["m"] == "canary", said["s"]) == (rollout.pk, call.version == 2, 10_000)
        assert said["y"] is False
    move_rollout(rollout=rollout, move=Move.ROLL_BACK, by=By.PERSON, reason="Worse", actor=operator)
    later = [take(f"b-{n}", called=NUMBER, caller=each) for n, each in enumerate(callers)]
    assert [(call.version, call.decision) for call in later] == [(1, None)] * len(later)
    again = [
        take(f"c-{n}", called=NUMBER, caller=each, started_at=during.isoformat()) for n, each in enumerate(callers)
    ]
    assert [call.version for call in again] == [call.version for call in calls]


def test_the_configuration_that_flags_had_made_is_made_again(tmp_path: Path, rollout: Rollout, operator: User) -> None:
    for value in (SWITCH, WELCOME):
        create_flag(value=value, actor=operator)
    (answer,) = resolved(tmp_path)
    assert answer["effective_digest"] != answer["digest"]
    take("flagged", resolution=answer["resolution"])
    # Flags move on; what the call got does not.
    switch_flag(flag=Flag.objects.get(key="no-transfer"), is_enabled=False, reason="Fixed", actor=operator)
    said = handling_of(Call.objects.get(sender_id="flagged"))
    assert said.effective == answer["effective_digest"]
    assert [(each.key, each.revision, each.variant) for each in said.flags] == [
        ("no-transfer", 1, "off"),
        ("welcome", 1, "warm"),
    ]
    assert said.rebuilt is not None
    assert said.rebuilt.body is not None
    assert digest_of(said.rebuilt.body) == answer["effective_digest"]
    assert json.loads(said.rebuilt.body) == answer["configuration"]
    client = Client()
    client.force_login(operator)
    page = client.get("/calls/flagged/").content.decode()
    assert answer["effective_digest"][:8] in page
    assert "Tool transfer_to_human: the tool is switched off" in page
    assert 'href="/flags/welcome/"' in page
    changed = client.get("/calls/configuration/flagged/")
    assert changed.status_code == 200
    assert "2 of" in changed.content.decode()
    assert "transfer_to_human" in changed.content.decode()
    with_draft = client.get("/calls/configuration/flagged/?with=draft").content.decode()
    assert "and the draft of today" in with_draft
    assert "transfer_to_human" in with_draft
    token = make_token(name="r", roles=["viewer"], scopes=["read"], owner=make_user("admin"), actor=make_user("admin"))
    one = Client().get("/api/v1/calls/flagged", headers={"Authorization": f"Bearer {token.secret}"}).json()
    assert one["effective_configuration"] == answer["configuration"]
    assert one["flags"][0] == {"key": "no-transfer", "revision": 1, "variant": "off"}
    assert one["rollout"]["id"] == rollout.pk


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda said: said["x"].update({"gone": [1, "off"]}), "The flag “gone” is not known"),
        (lambda said: said["x"].update({"no-transfer": [7, "off"]}), "The flag “no-transfer” is not known"),
        (lambda said: said.update(e="0" * 64), "but 00000000 was sent"),
    ],
)
def test_what_cannot_be_made_again_is_said_plainly(
    tmp_path: Path, rollout: Rollout, operator: User, spoil: Any, words: str
) -> None:
    create_flag(value=SWITCH, actor=operator)
    (answer,) = resolved(tmp_path)
    call = take("flagged", resolution=answer["resolution"])
    spoil(call.decision)
    Call.objects.filter(sender_id="flagged").update(decision=call.decision)
    client = Client()
    client.force_login(operator)
    page = client.get("/calls/flagged/").content.decode()
    assert "It cannot be made again" in page
    assert words in page
    assert client.get("/calls/configuration/flagged/").status_code == 404


def test_a_configuration_that_is_not_kept_is_said_too(tmp_path: Path, rollout: Rollout, operator: User) -> None:
    create_flag(value=SWITCH, actor=operator)
    (answer,) = resolved(tmp_path)
    call = take("flagged", resolution=answer["resolution"])
    Call.objects.filter(sender_id="flagged").update(digest="f" * 64)
    assert not Configuration.objects.filter(digest="f" * 64).exists()
    call = Call.objects.get(sender_id="flagged")
    rebuilt = handling_of(call).rebuilt
    assert rebuilt is not None
    assert (rebuilt.body, rebuilt.why) == (None, "The configuration below the flags is not kept any more.")


def test_a_call_of_neither_says_nothing_of_them(agent: Agent, operator: User) -> None:
    make_channel(agent, address=NUMBER)
    call = take("plain", called=NUMBER, started_at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    assert handling_of(call).flags == ()
    client = Client()
    client.force_login(operator)
    page = client.get("/calls/plain/").content.decode()
    assert "Flags applied" not in page
    assert "Rollout" not in page.split("What handled it")[1].split("The call")[0]
