"""Signatures as Standard Webhooks says, checked against the example of its specification's own libraries."""

import base64
import hmac

from channels.core.webhook_signing import headers_of

# The test vector of the reference libraries of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_reference_vector() -> None:
    headers = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, timestamp=1614265330, secrets=[SECRET])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_signs_and_any_text_is_one() -> None:
    headers = headers_of("a", BODY, timestamp=1, secrets=["old", "whsec_not base64!"])
    keys = (b"old", b"whsec_not base64!")
    expected = [base64.b64encode(hmac.digest(key, b"a.1." + BODY, "sha256")).decode() for key in keys]
    assert headers["webhook-signature"] == " ".join(f"v1,{signature}" for signature in expected)
