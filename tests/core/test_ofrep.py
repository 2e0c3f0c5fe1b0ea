"""OpenFeature's protocol as values: any body is read or refused in its words; each evaluation has its document."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.paths import MISSING
from channels.core.flag_rules import ErrorCode, Evaluation, FlagReason
from channels.core.flags import Flag, FlagType, FlagVariant
from channels.core.ofrep import BadContext, Context, answer_of, read_context, status_of

FLAG = Flag("speed", FlagType.NUMBER, "fast", "fast", variants=(FlagVariant("fast", 2),))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=12), each, max_size=3),
    max_leaves=6,
)


def refusal(body: bytes) -> BadContext | None:
    try:
        read_context(body)
    except BadContext as error:
        return error
    return None


@given(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    said = refusal(body)
    assert said is None or (said.code in {"PARSE_ERROR", "INVALID_CONTEXT"} and str(said).endswith("."))


@given(st.dictionaries(st.sampled_from(["targetingKey", "channel", "variant", "call_id", "agent", "other"]), JSON))
def test_texts_of_the_context_are_kept_and_nothing_else(context: dict[str, Any]) -> None:
    body = json.dumps({"context": context}).encode()
    if refusal(body) is not None:
        assert any(not isinstance(value, str | None) for value in context.values())
        return
    said = read_context(body)
    assert said.targeting_key == (context.get("targetingKey") or None)
    assert said.agent == (context.get("agent") or None)


def test_an_empty_body_is_an_empty_context() -> None:
    assert read_context(b"") == read_context(b"{}") == read_context(b'{"context": null}') == Context()


@pytest.mark.parametrize(
    ("evaluation", "status", "has_value"),
    [
        (Evaluation(2.0, FlagReason.STATIC, "fast"), 200, True),
        (Evaluation(MISSING, FlagReason.DEFAULT, "version"), 200, False),
        (Evaluation(MISSING, FlagReason.ERROR, error=ErrorCode.TARGETING_KEY_MISSING, words="Send."), 400, False),
        (Evaluation(MISSING, FlagReason.ERROR, error=ErrorCode.GENERAL, words="Save."), 500, False),
    ],
)
def test_what_clients_rely_on_is_in_every_answer(evaluation: Evaluation, status: int, has_value: bool) -> None:
    answer = answer_of(FLAG, evaluation, revision=3)
    assert status_of(answer) == status
    assert ("value" in answer) == has_value
    needed = {"key", "reason", "variant"} if status == 200 else {"key", "errorCode", "errorDetails"}
    assert needed <= answer.keys()
