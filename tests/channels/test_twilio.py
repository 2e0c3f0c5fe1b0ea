"""Twilio's webhook, with Twilio's own library as the other side."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator

from agentversions.models import Agent
from channels.runtime.application import Runtime, Twilio
from channels.runtime.twilio import sign, twiml
from tests.factories import make_agent, make_channel

from .runtime import running

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "12345678901234567890123456789012"
ADDRESS = "https://versions.example.com/twilio/voice"


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_channel(agent, address="+33198765432")
    return agent


@pytest.fixture
def runtime(tmp_path: Path, agent: Agent) -> Iterator[Runtime]:
    twilio = Twilio(SECRET, "wss://media.example.com/?a=1&b=2", "https://versions.example.com")
    with running(tmp_path / "store.sqlite3", for_twilio=twilio) as runtime:
        yield runtime


def post(runtime: Runtime, form: dict[str, str], signature: str, query: str = "") -> tuple[int, bytes]:
    body = urlencode(form).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/twilio/voice",
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "HTTP_X_TWILIO_SIGNATURE": signature,
    }
    said: dict[str, int] = {}
    answer = b"".join(runtime(environ, lambda status, headers, exc=None: said.update(status=int(status[:3]))))  # type: ignore[arg-type, return-value]
    return said["status"], answer


def call(**form: str) -> dict[str, str]:
    return {"To": "+33198765432", "From": "+33612345678", "CallSid": "CA1", "CallerName": "Zoë & Co", **form}


def test_our_signature_is_the_one_of_twilios_own_library() -> None:
    form = call(Empty="")
    assert sign(ADDRESS, form.items(), SECRET) == RequestValidator(SECRET).compute_signature(ADDRESS, form)


def test_a_signed_call_is_connected_with_the_decision(runtime: Runtime, agent: Agent) -> None:
    form = call()
    status, body = post(runtime, form, RequestValidator(SECRET).compute_signature(ADDRESS, form))
    assert status == 200
    stream = ElementTree.fromstring(body).find("./Connect/Stream")
    assert stream is not None
    assert stream.get("url") == "wss://media.example.com/?a=1&b=2"
    given = {each.get("name"): each.get("value") for each in stream}
    assert (given["agent"], given["digest"], given["reason"]) == ("clinic", agent.draft_id, "STATIC")
    assert str(given["resolution"]).startswith("r1.")


def test_what_twilio_did_not_sign_is_refused(runtime: Runtime) -> None:
    form = call()
    good = RequestValidator(SECRET).compute_signature(ADDRESS, form)
    assert post(runtime, form, "")[0] == 403
    assert post(runtime, call(From="+33699999999"), good)[0] == 403
    assert post(runtime, form, good, query="x=1")[0] == 403
    assert post(runtime, form, RequestValidator("another").compute_signature(ADDRESS, form))[0] == 403


def test_a_number_that_nothing_answers_is_a_404(runtime: Runtime) -> None:
    form = call(To="+33198765499")
    assert post(runtime, form, RequestValidator(SECRET).compute_signature(ADDRESS, form))[0] == 404


def test_arm_and_flags_are_parameters_where_they_are_small() -> None:
    answer = {"agent": "clinic", "rollout": {"arm": "canary", "share": 10.0}, "flags": {"a": '<"é'}, "overlay": {}}
    given = _parameters(twiml(answer, "wss://media.example.com/"))
    assert given == {"agent": "clinic", "rollout": "canary", "flags": '{"a":"<\\"é"}'}
    assert "flags" not in _parameters(twiml({**answer, "flags": {"a": "x" * 500}}, "wss://media.example.com/"))
    assert "rollout" not in _parameters(twiml({**answer, "rollout": None}, "wss://media.example.com/"))


def _parameters(document: bytes) -> dict[str | None, str | None]:
    return {each.get("name"): each.get("value") for each in ElementTree.fromstring(document).iter("Parameter")}
