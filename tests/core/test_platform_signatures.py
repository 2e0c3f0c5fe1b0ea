"""Deliveries are believed only with their platform's signature; vectors by openssl and by Twilio's own library."""

from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from monitoring.core.platforms import PLATFORMS, Delivery, NotGenuine

NOW = 1_763_719_200.0
VAPI, RETELL, ELEVENLABS = ["vapi-shared-secret"], ["key_0123456789abcdef"], ["wsec_0123456789abcdef"]
AUTH_TOKEN = "12345678901234567890123456789012"
VAPI_BODY = b'{"message":{"type":"status-update"}}'
VAPI_HMAC = "81c26ec99fbaf5831a2ad1b463037b861db0296125474a45b5a96e99acda84f9"
RETELL_BODY = b'{"event":"call_started","call":{"call_id":"call_1"}}'
RETELL_HEADER = "v=1763719200000,d=0342700b183866e7ad0e38baf09c397e3e80044c316bce139a59b5cd85979cf4"
ELEVENLABS_BODY = b'{"type":"post_call_transcription","data":{"conversation_id":"conv_1"}}'
ELEVENLABS_HEADER = "t=1763719200,v0=18570e66aab3feff77346581f0f03b782df52c0a9e667423f65fa1157e5f6a9e"
TWILIO_ADDRESS = "https://v.example.com/api/v1/calls/webhooks/twilio?resolution=r1.a.b.c"
TWILIO_FORM = {"CallSid": "CA1", "CallStatus": "completed", "From": "+33612345678"}

GENUINE = [
    ("vapi", VAPI, Delivery({"x-vapi-secret": VAPI[0]}, VAPI_BODY)),
    ("vapi", VAPI, Delivery({"authorization": f"Bearer {VAPI[0]}"}, VAPI_BODY)),
    ("vapi", VAPI, Delivery({"x-vapi-signature": VAPI_HMAC}, VAPI_BODY)),
    ("retell", RETELL, Delivery({"x-retell-signature": RETELL_HEADER}, RETELL_BODY)),
    ("elevenlabs", ELEVENLABS, Delivery({"elevenlabs-signature": ELEVENLABS_HEADER}, ELEVENLABS_BODY)),
    (
        "twilio",
        [AUTH_TOKEN],
        Delivery(
            {"x-twilio-signature": RequestValidator(AUTH_TOKEN).compute_signature(TWILIO_ADDRESS, TWILIO_FORM)},
            urlencode(TWILIO_FORM).encode(),
            TWILIO_ADDRESS,
        ),
    ),
]


def is_believed(name: str, secrets: list[str], delivery: Delivery, now: float = NOW) -> bool:
    try:
        PLATFORMS[name].verify(delivery, secrets, now)
    except NotGenuine:
        return False
    return True


@pytest.mark.parametrize(("name", "secrets", "delivery"), GENUINE)
def test_what_the_platform_signed_is_believed_also_beside_an_older_secret(
    name: str, secrets: list[str], delivery: Delivery
) -> None:
    assert is_believed(name, secrets, delivery)
    assert is_believed(name, ["another", *secrets], delivery)


@pytest.mark.parametrize(("name", "secrets", "delivery"), GENUINE)
def test_what_it_did_not_sign_is_not(name: str, secrets: list[str], delivery: Delivery) -> None:
    (header, given), *_ = delivery.headers.items()
    assert not is_believed(name, ["another"], delivery)
    assert not is_believed(name, [], delivery)
    assert not is_believed(name, secrets, Delivery({}, delivery.body, delivery.address))
    for wrong in ("", given[:-1], given + "é", given.replace("=", ""), "v=,d=", "t=,v0="):
        if wrong != given:
            assert not is_believed(name, secrets, Delivery({header: wrong}, delivery.body, delivery.address))


@pytest.mark.parametrize(("name", "secrets", "delivery"), GENUINE[2:])
def test_a_changed_body_is_not_believed(name: str, secrets: list[str], delivery: Delivery) -> None:
    changed = Delivery(delivery.headers, delivery.body + b"&x=1", delivery.address)
    assert not is_believed(name, secrets, changed)


def test_another_query_is_not_believed_of_twilio() -> None:
    name, secrets, delivery = GENUINE[-1]
    assert not is_believed(name, secrets, Delivery(delivery.headers, delivery.body, TWILIO_ADDRESS + "x"))


@pytest.mark.parametrize(("index", "tolerance"), [(3, 300), (4, 1800)])
def test_a_stale_signature_is_refused_and_one_from_the_future_too(index: int, tolerance: int) -> None:
    name, secrets, delivery = GENUINE[index]
    for away in (-tolerance, tolerance):
        assert is_believed(name, secrets, delivery, NOW + away)
        assert not is_believed(name, secrets, delivery, NOW + away + (1 if away > 0 else -1))
