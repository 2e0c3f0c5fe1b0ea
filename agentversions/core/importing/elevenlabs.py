"""ElevenLabs: agents with `conversation_config`."""

from typing import Any

from .mapper import Mapper
from .schema_fields import add_analysis_fields
from .tools import add_tools

TITLE = "ElevenLabs agent"
PROMPT = "conversation_config.agent.prompt"
TTS = "conversation_config.tts"
VAD = "conversation_config.vad"
FAMILIES = {
    "gpt": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "gemini": "google",
    "claude": "anthropic",
    "mistral": "mistral",
    "llama": "meta",
    "grok": "xai",
}
"""How the names of the model families begin, and who makes them."""


def recognises(document: dict[str, Any]) -> bool:
    """Whether this is an agent of ElevenLabs."""
    return isinstance(document.get("conversation_config"), dict)


def read(mapper: Mapper) -> None:
    """Map an agent; what the widget looks like and whom the platform lets in stays in the rest."""
    mapper.move("name", "name")
    mapper.put("voice.provider", "elevenlabs")
    mapper.move("conversation_config.agent.first_message", "welcome_message")
    mapper.move("conversation_config.agent.language", "language")
    _take_prompt(mapper)
    mapper.move(f"{TTS}.voice_id", "voice.voice")
    mapper.move(f"{TTS}.model_id", "voice.model")
    mapper.move(f"{TTS}.speed", "voice.speed")
    mapper.move("conversation_config.asr.provider", "transcriber.provider")
    mapper.move("conversation_config.asr.model", "transcriber.model")
    _take_turns(mapper)
    variables = mapper.take("conversation_config.agent.dynamic_variables.dynamic_variable_placeholders", dict) or {}
    for name, default in variables.items():
        mapper.add("variables", {"name": name, "default": str(default)})
    collected = mapper.take("platform_settings.data_collection", dict)
    if collected:
        mapper.rest.setdefault("platform_settings", {})["data_collection"] = {"properties": collected}
        add_analysis_fields(mapper, "platform_settings.data_collection")


def _take_prompt(mapper: Mapper) -> None:
    mapper.move(f"{PROMPT}.prompt", "system_prompt")
    if mapper.move(f"{PROMPT}.llm", "model.name"):
        mapper.put("model.provider", provider_of(mapper.document["model"]["name"]))
    mapper.move(f"{PROMPT}.temperature", "model.temperature")
    mapper.drop(f"{PROMPT}.max_tokens", -1)
    mapper.move(f"{PROMPT}.max_tokens", "model.max_tokens")
    add_tools(mapper, f"{PROMPT}.tools")
    retrieval = mapper.take(f"{PROMPT}.rag.max_retrieved_rag_chunks_count", int)
    linked = mapper.take(f"{PROMPT}.knowledge_base", list) or []
    left = [entry for entry in linked if not _link(mapper, entry, retrieval)]
    mapper.keep(f"{PROMPT}.knowledge_base", left)
    if retrieval is not None and len(left) == len(linked):
        mapper.keep(f"{PROMPT}.rag.max_retrieved_rag_chunks_count", retrieval)


def _link(mapper: Mapper, entry: Any, top_k: int | None) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        return False
    link: dict[str, Any] = {"id": entry["id"], "name": entry.get("name") or ""}
    if top_k is not None and 1 <= top_k <= 100:
        link["retrieval"] = {"top_k": top_k}
    try:
        mapper.add("knowledge_bases", link)
    except ValueError:
        return False
    return set(entry) <= {"id", "name"}


def _take_turns(mapper: Mapper) -> None:
    mapper.move("conversation_config.turn.turn_timeout", "turn_taking.silence_timeout_s")
    mapper.drop("conversation_config.turn.silence_end_call_timeout", -1.0)
    mapper.move("conversation_config.turn.silence_end_call_timeout", "turn_taking.inactivity_timeout_s")
    mapper.move("conversation_config.conversation.max_duration_seconds", "turn_taking.max_duration_s")
    mapper.move(f"{VAD}.threshold", "turn_taking.vad_threshold")


def provider_of(model: str) -> str:
    """Whose model it is, from its name; empty when the name does not say."""
    return next((provider for start, provider in FAMILIES.items() if model.startswith(start)), "")
