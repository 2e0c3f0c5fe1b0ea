"""OpenAI: realtime agents and sessions (`instructions`), lists of function tools, and a prompt beside such a list."""

from typing import Any

from .mapper import Mapper
from .tools import add_tools

TITLE = "OpenAI realtime agent"
TURNS = "turn_detection"


def recognises(document: dict[str, Any]) -> bool:
    """Whether this is an agent or a session: instructions at its top, or inside a session.update event."""
    session = document.get("session", {})
    return isinstance(document.get("instructions"), str) or (
        isinstance(session, dict) and isinstance(session.get("instructions"), str)
    )


def read(mapper: Mapper) -> None:
    """Map an agent or a session."""
    session = mapper.take("session", dict)
    if session is not None:
        mapper.drop("type", "session.update")
        mapper.rest = {**mapper.rest, **session}
    mapper.move("name", "name")
    mapper.move("instructions", "system_prompt")
    mapper.put("model.provider", "openai")
    mapper.put("model.name", "gpt-realtime")
    mapper.move("model", "model.name")
    mapper.move("temperature", "model.temperature")
    mapper.drop("max_response_output_tokens", "inf")
    mapper.move("max_response_output_tokens", "model.max_tokens")
    if mapper.move("voice", "voice.voice"):
        mapper.put("voice.provider", "openai")
    mapper.move("speed", "voice.speed")
    if mapper.move("input_audio_transcription.model", "transcriber.model"):
        mapper.put("transcriber.provider", "openai")
    mapper.move("input_audio_transcription.language", "language")
    mapper.move(f"{TURNS}.threshold", "turn_taking.vad_threshold")
    mapper.move(f"{TURNS}.silence_duration_ms", "turn_taking.end_of_speech_wait_ms")
    mapper.move(f"{TURNS}.interrupt_response", "turn_taking.interruptions_enabled")
    add_tools(mapper, "tools")


def recognises_tools(document: Any) -> bool:
    """Whether this is a list of function tools."""
    return isinstance(document, list) and bool(document) and all(_is_function(entry) for entry in document)


def read_tools(mapper: Mapper) -> None:
    """Map a list of tools (it stands under `tools`)."""
    add_tools(mapper, "tools")
    mapper.warnings.append("This document is a list of tools, not an agent. Write a prompt before you publish.")


def recognises_prompt_and_tools(document: dict[str, Any]) -> bool:
    """Whether this is a system prompt beside a list of function tools."""
    tools = document.get("tools")
    return isinstance(document.get("system_prompt"), str) and recognises_tools(tools)


def read_prompt_and_tools(mapper: Mapper) -> None:
    """Map a prompt with its tools."""
    mapper.move("name", "name")
    mapper.move("system_prompt", "system_prompt")
    add_tools(mapper, "tools")


def _is_function(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    inner = entry.get("function")
    if isinstance(inner, dict):
        return isinstance(inner.get("name"), str)
    return entry.get("type") == "function" and isinstance(entry.get("name"), str)
