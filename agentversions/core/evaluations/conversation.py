"""Plays a case: what the model is sent, turn by turn, with tools answered by the case's fixtures and never for real."""

import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentversions.core.configuration import AgentConfiguration, Json, Tool

from .cases import Case, Fixture, Turn, open_turns
from .verdicts import Called, Said, is_part

MAX_TOOL_ROUNDS = 12
"""Answers in a row that only call tools, after which an agent is taken to go in circles."""
FUNCTION_NAME = re.compile(r"[^A-Za-z0-9_-]")
VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*(?:\|([^{}]*))?\}\}")
Message = dict[str, Any]


class GoesInCircles(ValueError):
    """The agent calls tools and never answers."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool call in a model's answer; `arguments` None where they are no JSON object (`raw` has what came)."""

    id: str
    name: str
    arguments: Json | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer: words, tool calls, or a refusal, which counts as its words."""

    text: str = ""
    calls: tuple[Wanted, ...] = ()
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """A case that was played to its end: what the agent said and did, and every message for the page."""

    said: Said
    transcript: tuple[Message, ...]


@dataclass
class Shelf:
    """The fixtures of a case: each answers one call, the last that fits answers every further one."""

    fixtures: tuple[Fixture, ...]
    used: set[int] = field(default_factory=set)

    def answer(self, name: str, arguments: Json) -> tuple[bool, Any]:
        """Whether a fixture answers this call, and what it answers."""
        fitting = self._fitting(name, arguments)
        if not fitting:
            return False, None
        chosen = next((index for index in fitting if index not in self.used), fitting[-1])
        self.used.add(chosen)
        return True, self.fixtures[chosen].result

    def has(self, name: str, arguments: Json) -> bool:
        """Whether a fixture answers this call."""
        return bool(self._fitting(name, arguments))

    def _fitting(self, name: str, arguments: Json) -> list[int]:
        return [
            index
            for index, one in enumerate(self.fixtures)
            if one.name == name and (one.arguments is None or is_part(one.arguments, arguments))
        ]


def play(configuration: AgentConfiguration, case: Case) -> Generator[list[Message], Answer, Played]:
    """Yields the messages to send, takes the model's answer; ends with what was said. Raises GoesInCircles."""
    messages = opening(configuration, case.variables, case.turns)
    shelf, names = Shelf(case.fixtures), function_names(configuration)
    answers: list[str] = []
    calls: list[Called] = []
    asked = set(open_turns(case.turns))
    for index, turn in enumerate(case.turns):
        messages += turn_messages(turn, index, names)
        if index in asked:
            for _ in range(MAX_TOOL_ROUNDS):
                answer = yield list(messages)
                messages.append(answer_message(answer, names))
                if not answer.calls:
                    break
                for call in answer.calls:
                    calls.append(Called(call.name, call.arguments or {}))
                    messages.append(tool_message(call, shelf))
            else:
                raise GoesInCircles(f"The agent called tools {MAX_TOOL_ROUNDS} times in a row and did not answer.")
            answers.append(answer.text)
    return Played(Said(tuple(answers), tuple(calls)), tuple(messages[1:]))


def opening(
    configuration: AgentConfiguration, variables: Mapping[str, str], turns: tuple[Turn, ...] = ()
) -> list[Message]:
    """The system message, then what the agent says first, unless the conversation begins with the agent."""
    values = {variable.name: variable.default for variable in configuration.variables} | dict(variables)
    messages: list[Message] = [{"role": "system", "content": fill_in(system_text(configuration), values)}]
    if configuration.welcome_message.strip() and (not turns or turns[0].role == "user"):
        messages.append({"role": "assistant", "content": fill_in(configuration.welcome_message, values)})
    return messages


def system_text(configuration: AgentConfiguration) -> str:
    """The prompt; a workflow's steps follow it in their order, with where each may lead."""
    if configuration.kind != "workflow":
        return configuration.system_prompt
    names = {node.id: node.label or node.id for node in configuration.workflow.nodes}
    parts = [configuration.system_prompt.strip()]
    for node in configuration.workflow.nodes:
        ways = [
            f"- When {edge.condition or 'this step is done'}: go on with “{names.get(edge.target, edge.target)}”."
            for edge in configuration.workflow.edges
            if edge.source == node.id
        ]
        parts.append("\n".join([f"## Step “{names[node.id]}”", node.prompt.strip(), *ways]).strip())
    return "\n\n".join(part for part in parts if part)


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """`{{name}}` replaced where a value is known, else by its own default after `|`, else left as it stands."""
    return VARIABLE.sub(lambda found: values.get(found[1], found[2] if found[2] is not None else found[0]), text)


def function_names(configuration: AgentConfiguration) -> dict[str, str]:
    """Each tool's name as endpoints take it: letters, digits, _ and -, at most 64, and each its own."""
    found: dict[str, str] = {}
    for tool in configuration.tools:
        stem = FUNCTION_NAME.sub("_", tool.name)[:60] or "tool"
        taken, name, number = set(found.values()), stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        found[tool.name] = name
    return found


def functions(configuration: AgentConfiguration) -> list[Json]:
    """The tools as an OpenAI-compatible endpoint takes them."""
    names = function_names(configuration)
    return [{"type": "function", "function": _function(tool, names[tool.name])} for tool in configuration.tools]


def _function(tool: Tool, name: str) -> Json:
    return {"name": name, "description": tool.description[:1024], "parameters": tool.parameters}


def turn_messages(turn: Turn, index: int, names: Mapping[str, str]) -> list[Message]:
    """A written turn as messages: the agent's tool calls come with their results, then its words."""
    if not turn.calls:
        return [{"role": turn.role, "content": turn.text}]
    ids = [f"call_{index}_{place}" for place in range(len(turn.calls))]
    calls = [
        {
            "id": one,
            "type": "function",
            "function": {"name": names.get(call.name, call.name), "arguments": _text(call.arguments)},
        }
        for one, call in zip(ids, turn.calls, strict=True)
    ]
    results = [
        {"role": "tool", "tool_call_id": one, "content": _text(call.result)}
        for one, call in zip(ids, turn.calls, strict=True)
    ]
    words = [{"role": "assistant", "content": turn.text}] if turn.text.strip() else []
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *results, *words]


def answer_message(answer: Answer, names: Mapping[str, str]) -> Message:
    """A model's answer as the message that the next request holds."""
    message: Message = {"role": "assistant", "content": answer.text}
    if answer.calls:
        message["content"] = answer.text or None
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": names.get(call.name, call.name),
                    "arguments": call.raw if call.arguments is None else _text(call.arguments),
                },
            }
            for call in answer.calls
        ]
    return message


def tool_message(call: Wanted, shelf: Shelf) -> Message:
    """What a tool answers: the fixture, or an error that says that there is none."""
    if call.arguments is None:
        content = _text({"error": "The arguments are not a JSON object."})
    else:
        is_there, result = shelf.answer(call.name, call.arguments)
        content = _text(result) if is_there else _text({"error": f"No answer is prepared for {call.name}."})
    return {"role": "tool", "tool_call_id": call.id, "content": content}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
