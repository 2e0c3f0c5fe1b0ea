"""Trying an agent in text: the conversation goes on until the agent has answered, or waits for what a tool answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.configuration import AgentConfiguration, Json
from agentversions.core.evaluations.cases import Fixture
from agentversions.core.evaluations.conversation import (
    MAX_TOOL_ROUNDS,
    Message,
    Shelf,
    answer_message,
    function_names,
    opening,
    tool_message,
)

from .asking import NoReply, answer_of, ask_now, request_of
from .cases import case_from_turns
from .endpoints import Endpoint
from .errors import RunRefused

MOST_MESSAGES = 200
MOST_STATE = 500_000


@dataclass(frozen=True)
class Waiting:
    """A tool call that nobody has answered yet."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Tried:
    """A conversation so far, without the system message; `error` says why there is no answer."""

    messages: tuple[Message, ...]
    error: str = ""

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The tool calls at its end that need an answer."""
        answered = {message.get("tool_call_id") for message in self.messages if message["role"] == "tool"}
        last = next((message for message in reversed(self.messages) if message["role"] == "assistant"), {})
        return tuple(
            Waiting(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in last.get("tool_calls") or ()
            if call["id"] not in answered
        )

    @property
    def state(self) -> str:
        """The conversation as the page keeps it."""
        return json.dumps(list(self.messages), ensure_ascii=False)


def begin(configuration: AgentConfiguration) -> Tried:
    """The conversation before the caller says anything."""
    return Tried(tuple(opening(configuration, {})[1:]))


def read_state(text: str, configuration: AgentConfiguration) -> Tried:
    """The conversation that a page kept. Raises RunRefused."""
    if not text:
        return begin(configuration)
    try:
        found = parse(text, max_bytes=MOST_STATE)
        messages = tuple(_message(one) for one in found)
    except (NotCanonicalisable, TypeError, KeyError, AttributeError, ValueError) as error:
        raise RunRefused("The conversation cannot be read any more. Begin anew.") from error
    if len(messages) > MOST_MESSAGES:
        raise RunRefused("This conversation is too long to go on. Save it as a case, or begin anew.")
    return Tried(messages)


def read_fixtures(text: str) -> tuple[Fixture, ...]:
    """What tools answer, as a case has it. Raises RunRefused."""
    if not text.strip():
        return ()
    try:
        return tuple(Fixture.model_validate(one) for one in parse(text))
    except (NotCanonicalisable, ValueError, TypeError) as error:
        words = 'Write what tools answer as JSON: [{"name": "get_order", "result": {"state": "sent"}}].'
        raise RunRefused(words, "fixtures") from error


def go_on(
    *,
    configuration: AgentConfiguration,
    endpoint: Endpoint,
    tried: Tried,
    text: str,
    answers: Mapping[str, str],
    fixtures: tuple[Fixture, ...],
) -> Tried:
    """What the caller says, or what tools answer (by the call's id), and how the agent goes on; no tool is called."""
    messages = list(tried.messages)
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": answer}
        for call in tried.waiting
        if (answer := answers.get(call.id, "").strip())
    ]
    if not tried.waiting and text.strip():
        messages.append({"role": "user", "content": text.strip()})
    now = Tried(tuple(messages))
    if now.waiting or len(messages) == len(tried.messages):
        return now
    return _answered(configuration, endpoint, messages, Shelf(fixtures))


def turns_of(tried: Tried) -> Json:
    """The beginning of a case from a conversation: tools as they answered in it."""
    turns: list[Json] = []
    calls: dict[str, Message] = {}
    for message in tried.messages:
        if message["role"] == "tool":
            function = calls.get(message["tool_call_id"], {})
            turns.append(
                {"tool": function.get("name"), "arguments": function.get("arguments"), "text": message["content"]}
            )
            continue
        calls |= {call["id"]: call["function"] for call in message.get("tool_calls") or ()}
        turns.append({"role": message["role"], "text": message.get("content") or ""})
    # What the agent says first in every conversation is not part of the case.
    while turns and turns[0].get("role") == "assistant":
        turns.pop(0)
    return case_from_turns(turns)


def _answered(configuration: AgentConfiguration, endpoint: Endpoint, messages: list[Message], shelf: Shelf) -> Tried:
    system, names = opening(configuration, {})[0], function_names(configuration)
    request, client = request_of(endpoint, configuration), endpoint.one_client()
    for _ in range(MAX_TOOL_ROUNDS):
        try:
            reply = ask_now(client, request, [system, *messages])
        except NoReply as error:
            return Tried(tuple(messages), str(error))
        answer = answer_of(reply.document, configuration)
        messages.append(answer_message(answer, names))
        is_open = False
        for call in answer.calls:
            if call.arguments is not None and not shelf.has(call.name, call.arguments):
                is_open = True
            else:
                messages.append(tool_message(call, shelf))
        if is_open or not answer.calls:
            return Tried(tuple(messages))
    return Tried(tuple(messages), f"The agent called tools {MAX_TOOL_ROUNDS} times in a row and did not answer.")


def _message(one: Any) -> Message:
    """One message of a state, only what we put there."""
    message: Message = {"role": one["role"], "content": one.get("content")}
    if message["role"] not in ("user", "assistant", "tool") or not isinstance(message["content"], str | None):
        raise ValueError(message["role"])
    if message["role"] == "tool":
        message["tool_call_id"] = str(one["tool_call_id"])
    if one.get("tool_calls"):
        message["tool_calls"] = [
            {
                "id": str(call["id"]),
                "type": "function",
                "function": {"name": str(call["function"]["name"]), "arguments": str(call["function"]["arguments"])},
            }
            for call in one["tool_calls"]
        ]
    return message
