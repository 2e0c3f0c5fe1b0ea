"""Platforms post about calls: signed, stored once, attributed; what is not genuine changes nothing."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from channels.core.resolution import sign
from channels.models import SigningKey
from monitoring.core.platforms import PLATFORMS
from monitoring.models import Call, CallCorrection
from monitoring.services.checking import find_differences
from tests.core import platform_payloads as payloads
from tests.factories import make_agent, make_version

pytestmark = pytest.mark.django_db
SECRETS = {name: [f"{name}-older", f"{name}-secret"] for name in PLATFORMS}
PATH = "/api/v1/calls/webhooks/"


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.CALL_WEBHOOK_SECRETS = SECRETS
    settings.PUBLIC_URL = "https://versions.example.com/"


def signature(name: str, body: bytes, query: str = "", *, secret: str = "", at: float = 0) -> dict[str, str]:
    """The header by which a platform signs, made by hand."""
    secret, seconds = secret or SECRETS[name][1], int(at or time.time())

    def digest(signed: bytes) -> str:
        return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()

    if name == "vapi":
        return {"X-Vapi-Signature": digest(body)}
    if name == "retell":
        stamp = f"{seconds * 1000}"
        return {"X-Retell-Signature": f"v={stamp},d={digest(body + stamp.encode())}"}
    if name == "elevenlabs":
        return {"ElevenLabs-Signature": f"t={seconds},v0={digest(f'{seconds}.'.encode() + body)}"}
    address = f"https://versions.example.com{PATH}twilio" + (f"?{query}" if query else "")
    form = dict(pair.split("=") for pair in body.decode().split("&"))
    plain = {name: unquote_plus(value) for name, value in form.items()}
    return {"X-Twilio-Signature": RequestValidator(secret).compute_signature(address, plain)}


def post(name: str, body: bytes, headers: dict[str, str] | None = None, query: str = "") -> Any:
    kind = "application/x-www-form-urlencoded" if name == "twilio" else "application/json"
    address = f"{PATH}{name}" + (f"?{query}" if query else "")
    sent = headers if headers is not None else signature(name, body, query)
    return Client(enforce_csrf_checks=True).post(address, body, content_type=kind, headers=sent)


def resolution() -> str:
    """A token that this installation signed."""
    agent = make_agent(slug="clinic")
    make_version(agent)
    SigningKey.objects.create(name="k1", secret=b"key")
    digest = agent.versions.get(number=1).configuration_id
    payload = {
        "n": payloads.CALLED, "c": "x", "a": "clinic", "v": 1, "d": digest, "r": "0" * 64, "t": None, "b": 1,
        "s": 100_000, "w": "STATIC", "u": "caller", "iat": int(time.time()), "exp": 1e11,
    }  # fmt: skip
    return sign(payload, key_id="k1", key=b"key")


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platforms_events_make_one_call_attributed_by_its_resolution(name: str) -> None:
    token = resolution()
    query = urlencode({"resolution": token}) if name == "twilio" else ""
    bodies = [body.replace(payloads.TOKEN.encode(), token.encode()) for body in payloads.ALL[name]()]
    for body in [*reversed(bodies), *bodies]:
        answer = post(name, body, query=query)
        assert answer.status_code == 200, answer.content
    call = Call.objects.get()
    assert (call.source, call.attribution, call.version, call.channel) == (name, "token", 1, payloads.CALLED)
    assert (call.is_over, call.caller_shown, call.direction) == (True, "•••• 5678", "inbound")
    assert round(call.duration_ms / 1000) in (145, 146)
    assert not CallCorrection.objects.exists()
    assert find_differences() == []


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_is_not_signed_or_changed_or_signed_by_another_is_refused(name: str) -> None:
    body = payloads.ALL[name]()[-1]
    wrong = [{}, signature(name, body, secret="another"), signature(name, body.replace(b"a", b"b", 1))]
    for headers in wrong:
        answer = post(name, body, headers)
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"
    assert not Call.objects.exists()


@pytest.mark.parametrize(("name", "tolerance"), [("retell", 300), ("elevenlabs", 1800)])
def test_an_old_signature_is_refused_with_words(name: str, tolerance: int) -> None:
    body = payloads.ALL[name]()[-1]
    answer = post(name, body, signature(name, body, at=time.time() - tolerance - 5))
    assert answer.status_code == 403
    assert "clock" in answer.json()["detail"]
    assert post(name, body, signature(name, body, at=time.time() - tolerance + 60)).status_code == 200


def test_a_secret_that_is_about_to_go_still_counts() -> None:
    body = payloads.vapi()[-1]
    for secret in SECRETS["vapi"]:
        assert post("vapi", body, {"X-Vapi-Secret": secret}).status_code == 200
    assert post("vapi", body, {"X-Vapi-Secret": ",".join(SECRETS["vapi"])}).status_code == 403


def test_an_unknown_platform_and_one_without_a_secret_are_told_what_to_do(settings: Any) -> None:
    unknown = post("bland", b"{}", {})
    assert (unknown.status_code, "vapi, retell, elevenlabs, twilio" in unknown.json()["detail"]) == (404, True)
    settings.CALL_WEBHOOK_SECRETS = {**SECRETS, "retell": []}
    bare = post("retell", b"{}", {"X-Retell-Signature": f"v={int(time.time() * 1000)},d="})
    assert (bare.status_code, "RETELL_WEBHOOK_KEY" in bare.json()["detail"]) == (404, True)
    assert Client().get(f"{PATH}vapi").status_code == 405


def test_other_events_are_answered_so_that_nobody_repeats_them() -> None:
    for name, payload in (
        ("vapi", {"message": {"type": "speech-update", "call": {"id": "c"}}}),
        ("retell", {"event": "transfer_started", "call": {"call_id": "c"}}),
        ("elevenlabs", {"type": "post_call_audio", "data": {"conversation_id": "c"}}),
    ):
        answer = post(name, json.dumps(payload).encode())
        assert (answer.status_code, answer.json()) == (200, {"calls": 0, "refused": []})
    assert not Call.objects.exists()


def test_broken_json_is_a_400_and_too_much_a_413() -> None:
    assert post("retell", b"{broken").status_code == 400
    large = b"[" + b" " * (12 * 1024 * 1024) + b"]"
    answer = post("vapi", large)
    assert (answer.status_code, "12 MB" in answer.json()["detail"]) == (413, True)


def test_a_call_with_a_wrong_field_is_taken_without_it_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps(payloads.vapi_report(endedAt="2025-11-20T11:00:00Z", cost=10**9)).encode()
    assert post("vapi", body).status_code == 200
    call = Call.objects.get()
    assert (call.ended_at, call.cost, call.is_over, call.evaluation) == (None, None, True, "success")
    assert "ended_at" in caplog.text
    assert "cost" in caplog.text


def test_a_call_with_a_very_long_name_is_kept_under_its_beginning() -> None:
    body = json.dumps(payloads.vapi_report(call=payloads.vapi_call(id="x" * 500))).encode()
    assert post("vapi", body).status_code == 200
    assert Call.objects.get().sender_id == "x" * 200
