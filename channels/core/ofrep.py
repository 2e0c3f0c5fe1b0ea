"""The OpenFeature Remote Evaluation Protocol: its requests read, its answers as documents.

Source: the OFREP OpenAPI description, version 0.3 (openfeature.dev). A client's context carries `targetingKey` (who
calls, or whatever else shares are to count), and, where rules ask for them, `channel` (the number or key that was
called), `variant` (of the number's A/B test), `call_id` (counts where the caller withholds the number) and `agent`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentversions.core.paths import MISSING

from .flag_rules import ErrorCode, Evaluation
from .flags import Flag

LONGEST = 256
"""Characters of a text in the context."""
NAMES = ("targetingKey", "channel", "variant", "call_id", "agent")


class BadContext(ValueError):
    """A request that cannot be read; `code` is OpenFeature's word for it, the message says what to send."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Context:
    """What a client says of the call; texts as they came, None where it says nothing."""

    targeting_key: str | None = None
    channel: str | None = None
    variant: str | None = None
    call_id: str | None = None
    agent: str | None = None


def read_context(body: bytes) -> Context:
    """The context of a request's body; an empty body is an empty context. Raises BadContext."""
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadContext("PARSE_ERROR", 'The body is no JSON. Send {"context": {"targetingKey": "…"}}.') from error
    if not isinstance(value, dict):
        raise BadContext("PARSE_ERROR", 'The body is no JSON object. Send {"context": {"targetingKey": "…"}}.')
    context = value.get("context")
    if context is None:
        context = {}
    if not isinstance(context, dict):
        raise BadContext("INVALID_CONTEXT", '`context` is an object, such as {"targetingKey": "+33612345678"}.')
    return Context(*(_text(context, name) for name in NAMES))


def _text(context: Mapping[str, Any], name: str) -> str | None:
    value = context.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST:
        raise BadContext("INVALID_CONTEXT", f"`{name}` of the context is a text of at most {LONGEST} characters.")
    return value


def answer_of(flag: Flag, evaluation: Evaluation, *, revision: int) -> dict[str, Any]:
    """The document of one evaluation: a success, or a failure with its code and a sentence.

    A value that the version or the agent's own code decides is left out: clients then use their default.
    """
    if evaluation.error is not None:
        return failure(evaluation.error, evaluation.words, key=flag.key)
    value = {} if evaluation.value is MISSING else {"value": evaluation.value}
    metadata = {"revision": revision, "type": str(flag.type)}
    return {
        "key": flag.key,
        **value,
        "reason": str(evaluation.reason),
        "variant": evaluation.variant,
        "metadata": metadata if evaluation.rule is None else {**metadata, "rule": evaluation.rule + 1},
    }


def failure(code: str, words: str, *, key: str | None = None) -> dict[str, Any]:
    """The document of a failure, of one flag or of the whole request."""
    return {**({"key": key} if key is not None else {}), "errorCode": str(code), "errorDetails": words}


def status_of(answer: Mapping[str, Any]) -> int:
    """The HTTP status of the answer for one flag."""
    if "errorCode" not in answer:
        return 200
    return 500 if answer["errorCode"] == ErrorCode.GENERAL else 400
