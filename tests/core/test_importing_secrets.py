"""A key of an imported document is nowhere afterwards: not in a header, nor the extensions, nor the kept source."""

import json

import pytest

from agentversions.core.importing import read_import
from agentversions.core.reading import write_body
from tests.core.foreign import LOOKUP, VAPI

KEY = "sk-" + "a1B2c3D4e5F6g7H8"
TOKEN = "tok/9f8e7d6c5b4a"


def assistant(**tool):
    return {**VAPI, "model": {**VAPI["model"], "tools": [{**LOOKUP, **tool}]}}


def read(document):
    return read_import("a.json", json.dumps(document).encode())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": f"Bearer {KEY}"}, {"Authorization": "Bearer {{secret:LOOKUP_AUTHORIZATION}}"}),
        ({"X-Api-Key": TOKEN}, {"X-Api-Key": "{{secret:LOOKUP_X_API_KEY}}"}),
        ({"X-Anything": KEY}, {"X-Anything": "{{secret:LOOKUP_X_ANYTHING}}"}),
        ({"Authorization": "Bearer {{token}}"}, {"Authorization": "Bearer {{token}}"}),
        ({"Accept": "application/json"}, {"Accept": "application/json"}),
    ],
)
def test_a_key_in_a_header_becomes_a_reference(headers, expected):
    imported = read(assistant(headers=headers))
    assert imported.configuration.tools[0].headers == expected
    assert KEY not in write_body(imported.configuration)
    assert TOKEN not in write_body(imported.configuration)
    assert bool(imported.secrets) == (headers != expected)


def test_the_kept_source_has_the_key_masked_and_says_so():
    document = assistant(headers={"Authorization": f"Bearer {TOKEN}"})
    text = json.dumps(document).replace("/9f", "\\/9f")
    imported = read_import("a.json", text.encode())
    source = imported.configuration.extensions["source"]
    assert source["text"] == text.replace(TOKEN.replace("/", "\\/"), "{{secret:LOOKUP_AUTHORIZATION}}")
    assert source["masked"] == ["LOOKUP_AUTHORIZATION"]
    assert any("same keys masked" in warning for warning in imported.warnings)


def test_a_key_too_short_to_mask_takes_the_source_with_it():
    imported = read(assistant(headers={"X-Api-Key": "abc"}))
    assert "text" not in imported.configuration.extensions["source"]
    assert any("too short" in warning for warning in imported.warnings)


@pytest.mark.parametrize(
    "extra",
    [
        {"server": {"secret": "correct-horse"}},
        {"credentials": [{"provider": "x", "apiKey": KEY}]},
        {"transport": {"authToken": "0123456789abcdef0"}},
        {"note": f"the key is {KEY}, keep it"},
        {"hook": {"headers": {"X-Api-Key": TOKEN}}},
        {"hook": {"url": "https://user:pa55word@example.com/x"}},
        {"pem": "-----BEGIN PRIVATE KEY-----\nMIIEv\n-----END PRIVATE KEY-----"},
    ],
)
def test_a_key_anywhere_in_what_was_not_mapped_is_masked_too(extra):
    imported = read({**VAPI, **extra})
    body = write_body(imported.configuration)
    assert imported.secrets
    for literal in ("correct-horse", KEY, "0123456789abcdef0", TOKEN, "pa55word", "MIIEv"):
        assert literal not in body


def test_words_that_only_look_like_names_of_keys_stay():
    imported = read({**VAPI, "metadata": {"key": "order number", "token_limit": 5, "publicKeyId": "k1"}})
    assert imported.secrets == ()
    assert imported.configuration.extensions["vapi"]["metadata"]["key"] == "order number"


def test_an_address_with_a_password_is_masked():
    imported = read(assistant(url="https://user:pa55word@api.example.com/x"))
    assert imported.configuration.tools[0].endpoint == "https://{{secret:LOOKUP_ADDRESS}}@api.example.com/x"


def test_a_key_in_a_prompt_is_a_warning_and_the_prompt_stays():
    imported = read_import("prompt.txt", f"Use {KEY}.".encode())
    assert imported.configuration.system_prompt == f"Use {KEY}."
    assert any("key or a password" in warning for warning in imported.warnings)


def test_a_key_in_our_own_json_is_taken_out_before_it_is_refused():
    tool = {"name": "crm", "endpoint": "https://crm.example.com", "headers": {"Authorization": f"Bearer {KEY}"}}
    imported = read({"name": "Clinic", "system_prompt": "Hi", "tools": [tool]})
    assert imported.secrets == ("CRM_AUTHORIZATION",)
    assert KEY not in write_body(imported.configuration)
