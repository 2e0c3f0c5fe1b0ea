"""Credentials are recognised by shape and by header; references and ordinary text are not."""

import pytest

from agentversions.core.secrets import address_holds_credentials, is_secret_header, looks_like_key, secret_name


@pytest.mark.parametrize(
    "text",
    [
        "sk-" + "a1B2" * 8,
        "use sk-proj-" + "Zz9_" * 10 + " please",
        "ghp_" + "a" * 36,
        "AKIA" + "A1B2" * 4,
        "xoxb-123456789012-abc",
        "AIza" + "x" * 35,
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_well_known_keys_are_recognised(text: str) -> None:
    assert looks_like_key(text)


@pytest.mark.parametrize(
    "text", ["task-force-of-the-day-and-night", "Ask-me", "{{secret:OPENAI_KEY}}", "sk-", "a" * 64]
)
def test_ordinary_text_is_not_a_key(text: str) -> None:
    assert not looks_like_key(text)


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("Authorization", "Bearer abcdef", True),
        ("authorization", "Bearer {{secret:CRM}}", False),
        ("Authorization", "{{ secret:CRM }}", False),
        ("X-API-Key", "12345", True),
        ("X-Api-Key", "${CRM_KEY}", False),
        ("api_key", "<your key>", False),
        ("Cookie", "session=1", True),
        ("X-Signature", "abc", True),
        ("Content-Type", "application/json", False),
        ("X-Monkey", "banana", False),
        ("Accept", "sk-" + "a1B2" * 8, True),
        ("Authorization", "", False),
        ("Authorization", "Bearer prefix{{secret:A}}", True),
    ],
)
def test_headers_may_only_name_a_secret(name: str, value: str, is_secret: bool) -> None:
    assert is_secret_header(name, value) is is_secret


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("https://user:pass@example.com/x", True),
        ("https://example.com/user:pass@x", False),
        ("https://{{secret:USER}}:{{secret:PASS}}@example.com/", False),
        ("https://example.com/?key=sk-" + "a1B2" * 8, True),
    ],
)
def test_addresses_may_not_hold_credentials(address: str, holds: bool) -> None:
    assert address_holds_credentials(address) is holds


def test_the_name_of_a_secret_comes_from_tool_and_header() -> None:
    assert secret_name("crm lookup", "X-Api-Key") == "CRM_LOOKUP_X_API_KEY"
