"""Asks an OpenAI-compatible endpoint once, by the `openai` package; whatever comes back is an answer or a sentence."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, OpenAI

from agentversions.core.configuration import AgentConfiguration, Json
from agentversions.core.evaluations.conversation import Answer, Message, Wanted, function_names, functions

from .endpoints import Endpoint

PATH = "chat/completions"


class NoReply(Exception):
    """No answer, and why in words. `is_lasting`: every further question would end the same (a wrong key or model)."""

    def __init__(self, words: str, *, is_lasting: bool = False) -> None:
        super().__init__(words)
        self.is_lasting = is_lasting


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer as it is kept: JSON values, tokens, and how long the last attempt took in milliseconds."""

    document: Json
    input_tokens: int
    output_tokens: int
    latency_ms: int


def parameters_of(configuration: AgentConfiguration) -> Json:
    """The parameters that a configuration sets for its model."""
    model = configuration.model
    limit = {"max_tokens": model.max_tokens} if model.max_tokens else {}
    return {"temperature": model.temperature, **limit}


def request_of(endpoint: Endpoint, configuration: AgentConfiguration) -> Json:
    """Everything of a request but its messages."""
    tools = functions(configuration)
    request: Json = {"model": endpoint.model, **parameters_of(configuration)}
    return {**request, "tools": tools} if tools else request


def key_of(*parts: Any) -> str:
    """The SHA-256 under which an answer is kept: of everything that it depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def answer_of(document: Json, configuration: AgentConfiguration) -> Answer:
    """A kept answer as a case plays it: tools under the configuration's own names."""
    names = {sent: own for own, sent in function_names(configuration).items()} if document["calls"] else {}
    calls = tuple(_wanted(call, names) for call in document["calls"])
    return Answer(document["text"], calls, document["is_refusal"])


async def ask(client: AsyncOpenAI, request: Json, messages: list[Message], key: str) -> Reply:
    """One answer. An endpoint that knows `Idempotency-Key` charges a repeated question once. Raises NoReply."""
    try:
        # The client's own door for a body as it is: its typed one walks every tool for 1 ms, and we check ourselves.
        raw = await client.post(
            f"{client.base_url}{PATH}",  # whole: the client takes a path apart and together again, twice
            cast_to=httpx2.Response,
            body={**request, "messages": messages},
            options={"headers": {"Idempotency-Key": key}},
        )
    except Exception as error:
        raise _no_reply(error) from error
    return _read(raw)


def ask_now(client: OpenAI, request: Json, messages: list[Message]) -> Reply:
    """The same for a person who waits. Raises NoReply."""
    try:
        raw = client.post(f"{client.base_url}{PATH}", cast_to=httpx2.Response, body={**request, "messages": messages})
    except Exception as error:
        raise _no_reply(error) from error
    return _read(raw)


def _read(raw: httpx2.Response) -> Reply:
    try:
        body = json.loads(raw.content)
        message = body["choices"][0]["message"]
        usage = body.get("usage") or {}
        calls = [
            {
                "id": _clean(call["id"]),
                "name": _clean(call["function"]["name"]),
                "arguments": _clean(call["function"]["arguments"] or "{}"),
            }
            for call in message.get("tool_calls") or ()
        ]
        refusal = message.get("refusal")
        text = refusal or message.get("content") or ""
        document = {"text": _clean(text), "calls": calls, "is_refusal": bool(refusal)}
        tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        return Reply(document, *tokens, latency_ms=int(raw.elapsed.total_seconds() * 1000))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise NoReply("The endpoint answered with something that is no chat completion.") from error


def _no_reply(error: Exception) -> NoReply:
    if isinstance(error, openai.APITimeoutError):
        return NoReply("The endpoint did not answer in time, nor when asked again.")
    if isinstance(error, openai.APIConnectionError):
        return NoReply("The endpoint cannot be reached, nor when tried again.")
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return NoReply("The endpoint refuses the key. An admin puts it right in LLM_ENDPOINTS.", is_lasting=True)
    if isinstance(error, openai.NotFoundError):
        return NoReply(f"The endpoint does not know the model: {_said(error)}", is_lasting=True)
    if isinstance(error, openai.RateLimitError):
        return NoReply("The endpoint says that it is asked too often (429), also when asked more slowly.")
    if isinstance(error, openai.APIStatusError):
        return NoReply(f"The endpoint answered {error.status_code}: {_said(error)}")
    if isinstance(error, ValueError | openai.OpenAIError):
        return NoReply("The endpoint answered with something that is no chat completion.")
    raise error


def _said(error: openai.APIStatusError) -> str:
    return _clean(error.message)[:300]


def _wanted(call: Json, names: dict[str, str]) -> Wanted:
    try:
        arguments = json.loads(call["arguments"])
    except (ValueError, RecursionError):
        arguments = None
    sent = str(call["name"])
    return Wanted(
        call["id"], names.get(sent, sent), arguments if isinstance(arguments, dict) else None, call["arguments"]
    )


def _clean(text: str) -> str:
    """What PostgreSQL can keep: no NUL, no half characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
