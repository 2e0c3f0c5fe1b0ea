"""Vapi: assistants (JSON, YAML, Markdown with front matter), single tools and structured outputs."""

from typing import Any

from .mapper import Mapper, look_up
from .schema_fields import add_analysis_fields
from .tools import BUILT_IN, add_tool, add_tools

TITLE = "Vapi assistant"
ASSISTANT_FIELDS = {
    "firstMessage", "transcriber", "systemPromptFile", "startSpeakingPlan", "stopSpeakingPlan", "endCallMessage",
    "silenceTimeoutSeconds", "artifactPlan", "analysisPlan", "voicemailMessage", "backgroundSound",
}  # fmt: skip
TOOL_TYPES = BUILT_IN | {"apiRequest", "function", "code", "mcp", "bash", "computer", "textEditor", "output"}


def recognises(document: dict[str, Any]) -> bool:
    """Whether this is an assistant: a model as an object, and one of the fields that only Vapi has."""
    model = document.get("model")
    has_messages = isinstance(model, dict) and isinstance(model.get("messages"), list)
    return has_messages or bool(ASSISTANT_FIELDS & set(document) and isinstance(document.get("model", {}), dict))


def read(mapper: Mapper) -> None:
    """Map an assistant."""
    mapper.move("name", "name")
    mapper.move("firstMessage", "welcome_message")
    _take_prompt(mapper)
    file = look_up(mapper.rest, "systemPromptFile")
    if file and "system_prompt" not in mapper.document:
        mapper.warnings.append(f"The system prompt is in another file, “{file}”. Paste it before you publish.")
    mapper.move("model.provider", "model.provider")
    mapper.move("model.model", "model.name")
    mapper.move("model.temperature", "model.temperature")
    mapper.move("model.maxTokens", "model.max_tokens")
    add_tools(mapper, "model.tools")
    mapper.move("voice.provider", "voice.provider")
    mapper.move("voice.voiceId", "voice.voice")
    mapper.move("voice.model", "voice.model")
    mapper.move("voice.speed", "voice.speed")
    mapper.move("transcriber.provider", "transcriber.provider")
    mapper.move("transcriber.model", "transcriber.model")
    mapper.move("transcriber.language", "language")
    _take_turns(mapper)
    _take_sound(mapper)
    _take_analysis(mapper)
    for name, default in (mapper.take("assistantOverrides.variableValues", dict) or {}).items():
        mapper.add("variables", {"name": name, "default": str(default)})


def recognises_tool(document: dict[str, Any]) -> bool:
    """Whether this is one tool: a known type, and a name, a function or an address."""
    return document.get("type") in TOOL_TYPES and bool({"name", "function", "url"} & set(document))


def read_tool(mapper: Mapper) -> None:
    """Map a document that is one tool: an agent that has only this."""
    name, left = add_tool(mapper, mapper.rest)
    mapper.rest = left
    mapper.put("name", name)
    mapper.warnings.append("This document is one tool, not an agent. Add it to the tool library, or write a prompt.")


def recognises_output(document: dict[str, Any]) -> bool:
    """Whether this is a structured output: a schema that finished calls are read with."""
    return document.get("type") in {"ai", "regex"} and isinstance(document.get("schema"), dict)


def read_output(mapper: Mapper) -> None:
    """Map a structured output: one field, or one for each property, of the call analysis."""
    mapper.move("description", "call_analysis.prompt")
    name = look_up(mapper.rest, "name")
    mapper.move("name", "name")
    add_analysis_fields(mapper, "schema", single=name if isinstance(name, str) else "output")
    mapper.move("model.provider", "model.provider")
    mapper.move("model.model", "model.name")
    mapper.warnings.append("This document is a call analysis, not an agent. Write a prompt before you publish.")


def _take_prompt(mapper: Mapper) -> None:
    """The first system message is the prompt; further messages stay, in their order, in the rest."""
    messages = mapper.take("model.messages", list)
    if messages is None:
        return
    for index, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role") == "system" and isinstance(message.get("content"), str):
            mapper.put("system_prompt", message["content"])
            left = {key: value for key, value in message.items() if key not in {"role", "content"}}
            messages = [*messages[:index], *([left] if left else []), *messages[index + 1 :]]
            break
    mapper.keep("model.messages", messages)


def _take_turns(mapper: Mapper) -> None:
    mapper.move(
        "startSpeakingPlan.waitSeconds", "turn_taking.end_of_speech_wait_ms", lambda seconds: round(seconds * 1000)
    )
    mapper.move("stopSpeakingPlan.numWords", "turn_taking.interruption_min_words")
    mapper.move("silenceTimeoutSeconds", "turn_taking.inactivity_timeout_s")
    mapper.move("maxDurationSeconds", "turn_taking.max_duration_s")
    mapper.move("messagePlan.idleTimeoutSeconds", "turn_taking.silence_timeout_s")
    messages = look_up(mapper.rest, "messagePlan.idleMessages")
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], str):
        mapper.put("turn_taking.silence_message", mapper.take("messagePlan.idleMessages")[0])


def _take_sound(mapper: Mapper) -> None:
    sound = look_up(mapper.rest, "backgroundSound")
    if sound == "off":
        mapper.take("backgroundSound")
        mapper.put("background_sound.enabled", False)
    elif mapper.move("backgroundSound", "background_sound.sound"):
        mapper.put("background_sound.enabled", True)


def _take_analysis(mapper: Mapper) -> None:
    add_analysis_fields(mapper, "analysisPlan.structuredDataPlan.schema")
    add_analysis_fields(mapper, "analysisPlan.structuredDataSchema")
    for source in ("analysisPlan.structuredDataPrompt", "analysisPlan.summaryPrompt"):
        if "prompt" not in mapper.document.get("call_analysis", {}):
            mapper.move(source, "call_analysis.prompt")
