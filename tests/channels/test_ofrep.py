"""OpenFeature's protocol on the wire: documents, ETag and 304, who may ask, pages of other origins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentversions.models import Agent
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant, Rule, Schedule
from channels.models import Channel
from channels.runtime.application import Runtime
from tests.channels.flag_rows import plain, save
from tests.channels.runtime import Answered, call, eventually, resolve_token, running
from tests.factories import make_agent, make_channel

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = "+33612345678"
ALL = "/ofrep/v1/evaluate/flags"


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic")


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432", time_zone="Europe/Paris")


@pytest.fixture
def runtime(tmp_path: Path, channel: Channel) -> Iterator[Runtime]:
    with running(tmp_path / "store.sqlite3", flag_origins=frozenset({"https://shop.example"})) as runtime:
        yield runtime


@pytest.fixture
def token() -> str:
    return resolve_token("flags")


def ask(runtime: Runtime, token: str, key: str = "", **context: Any) -> Answered:
    return call(runtime, {"context": context}, path=f"{ALL}/{key}" if key else ALL, token=token)


def test_one_flag_is_answered_with_its_reason_and_a_number_stays_a_number(runtime: Runtime, token: str) -> None:
    save(plain("float", "speed"))
    eventually(lambda: ask(runtime, token, "speed").status == 200)
    said = ask(runtime, token, "speed")
    assert said.json == {
        "key": "speed",
        "value": 2.0,
        "reason": "STATIC",
        "variant": "given",
        "metadata": {"revision": 1, "type": "number"},
    }
    assert b'"value": 2.0' in said.body


def test_a_change_is_heard_and_an_archived_flag_is_gone(runtime: Runtime, token: str) -> None:
    save(plain("string", "tone"))
    eventually(lambda: ask(runtime, token, "tone").json.get("value") == "warm", 1)
    save(plain("string", "tone", is_enabled=False))
    eventually(lambda: ask(runtime, token, "tone").json.get("reason") == "DISABLED", 1)
    save(plain("string", "tone"), is_archived=True)
    eventually(lambda: ask(runtime, token, "tone").status == 404, 1)
    assert ask(runtime, token, "tone").json["errorCode"] == "FLAG_NOT_FOUND"


def test_all_flags_come_with_an_etag_and_a_304_until_one_changes(runtime: Runtime, token: str) -> None:
    save(plain("string", "tone"))
    save(plain("boolean", "music"))
    eventually(lambda: len(ask(runtime, token).json["flags"]) == 2, 1)
    first = ask(runtime, token, targetingKey=CALLER)
    etag = first.headers["ETag"]
    again = call(runtime, {"context": {"targetingKey": CALLER}}, path=ALL, token=token, HTTP_IF_NONE_MATCH=etag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    save(plain("string", "tone", is_enabled=False))

    def is_new() -> bool:
        said = call(runtime, {"context": {"targetingKey": CALLER}}, path=ALL, token=token, HTTP_IF_NONE_MATCH=etag)
        return said.status == 200 and said.headers["ETag"] != etag

    eventually(is_new, 1)


def test_flags_of_another_agent_are_left_out_where_the_agent_is_named(
    runtime: Runtime, token: str, agent: Agent
) -> None:
    make_agent(slug="shop")
    for key, owner in (("of-all", ""), ("of-clinic", "clinic"), ("of-shop", "shop")):
        save(FlagValue(key, FlagType.BOOLEAN, "on", "on", agent=owner, variants=(FlagVariant("on", True),)))
    eventually(lambda: len(ask(runtime, token).json["flags"]) == 3, 1)
    keys = {each["key"] for each in ask(runtime, token, agent="clinic").json["flags"]}
    assert keys == {"of-all", "of-clinic"}


def test_rules_see_the_number_that_was_called_and_its_hours(runtime: Runtime, token: str) -> None:
    here = Rule("here", "other", channels=frozenset({"+33198765432"}), schedule=Schedule())
    save(plain("string", "tone", rules=(here,)))
    eventually(lambda: ask(runtime, token, "tone").status == 200, 1)
    assert ask(runtime, token, "tone", targetingKey=CALLER).json["reason"] == "DEFAULT"
    said = ask(runtime, token, "tone", targetingKey=CALLER, channel="01 98 76 54 32 ", call_id="c1")
    assert said.json["reason"] == "DEFAULT"  # a national form needs the installation's region
    said = ask(runtime, token, "tone", targetingKey=CALLER, channel="+33 1 98 76 54 32")
    assert (said.json["value"], said.json["reason"], said.json["metadata"]["rule"]) == ("cold", "TARGETING_MATCH", 1)


def test_a_withheld_number_is_split_by_its_call(runtime: Runtime, token: str) -> None:
    save(plain("string", "tone", rules=(Rule("half", "other", share=50_000, salt="s"),)))
    eventually(lambda: ask(runtime, token, "tone", targetingKey=CALLER).status == 200, 1)
    assert ask(runtime, token, "tone", targetingKey="anonymous").json["errorCode"] == "TARGETING_KEY_MISSING"
    given = {ask(runtime, token, "tone", targetingKey="anonymous", call_id=f"c{n}").json["value"] for n in range(40)}
    assert given == {"warm", "cold"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'{"context": 7}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": {"a": 1}}}', "INVALID_CONTEXT"),
        (b'{"context": {"channel": "%s"}}' % (b"9" * 300), "INVALID_CONTEXT"),
        (b" " * 70_000, "PARSE_ERROR"),
    ],
    ids=["broken", "list", "no object", "key", "long", "large"],
)
def test_what_cannot_be_read_is_refused_in_the_protocols_words(
    runtime: Runtime, token: str, body: bytes, code: str
) -> None:
    for path in (ALL, f"{ALL}/tone"):
        said = call(runtime, body, path=path, token=token)
        assert (said.status, said.json["errorCode"]) == (400, code)
        assert said.json["errorDetails"]


def test_who_may_ask(runtime: Runtime, token: str) -> None:
    assert ask(runtime, "av_nonsense").status == 401
    assert ask(runtime, resolve_token("resolve")).status == 403
    assert call(runtime, {}, path=ALL, HTTP_X_API_KEY=token).status == 200
    assert call(runtime, {}, path=ALL, method="GET", token=token).status == 405
    assert call(runtime, {}, path="/ofrep/v1/configuration", token=token).status == 404


def test_pages_of_an_allowed_origin_may_read_and_others_not(runtime: Runtime, token: str) -> None:
    allowed = call(runtime, {}, path=ALL, method="OPTIONS", HTTP_ORIGIN="https://shop.example")
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "If-None-Match" in allowed.headers["Access-Control-Allow-Headers"]
    other = call(runtime, {}, path=ALL, token=token, HTTP_ORIGIN="https://evil.example")
    assert "Access-Control-Allow-Origin" not in other.headers
