"""Twilio's voice webhook: the signature checked, the call resolved, the answer in TwiML.

The signature is the base64 of HMAC-SHA1 over the address and the sorted parameters (Twilio, "Validating requests").
"""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

PARAMETERS = ("agent", "version", "version_name", "digest", "effective_digest", "variant", "reason", "resolution")
MOST_CHARACTERS = 500
"""Of a parameter's name and value together; flags that are longer are left out, /resolve gives them."""
MOST_BYTES = 64 * 1024


def read_parameters(body: bytes) -> list[tuple[str, str]]:
    """The form that Twilio posts, in its order."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def sign(address: str, parameters: Iterable[tuple[str, str]], secret: str) -> str:
    """What Twilio puts into X-Twilio-Signature for a form posted to this address."""
    text = address + "".join(f"{name}{value}" for name, value in sorted(set(parameters)))
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "surrogatepass"), "sha1")).decode()


def is_signed(address: str, parameters: Iterable[tuple[str, str]], signature: str, secret: str) -> bool:
    """Whether Twilio sent this."""
    expected = sign(address, parameters, secret)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def twiml(answer: Mapping[str, Any], stream: str) -> bytes:
    """Connects the call to a media stream that gets the decision as its parameters."""
    given = {name: str(answer[name]) for name in PARAMETERS if answer.get(name) is not None}
    if answer.get("rollout"):
        given["rollout"] = answer["rollout"]["arm"]
    for name in ("flags", "overlay"):
        text = json.dumps(answer.get(name), ensure_ascii=False, separators=(",", ":"))
        if answer.get(name) and len(name) + len(text) < MOST_CHARACTERS:
            given[name] = text
    parts = "".join(f"<Parameter name={quoteattr(name)} value={quoteattr(value)} />" for name, value in given.items())
    document = f"<Response><Connect><Stream url={quoteattr(stream)}>{parts}</Stream></Connect></Response>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode()
