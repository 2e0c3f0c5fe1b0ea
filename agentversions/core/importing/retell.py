"""Retell: agents with `response_engine`, Retell LLMs with `general_prompt`, and conversation flows."""

from typing import Any

from .elevenlabs import provider_of
from .mapper import Mapper
from .tools import add_tools

TITLE = "Retell agent"
PARTS = ("retellLlmData", "retell_llm", "llm", "conversationFlow", "conversation_flow")


def recognises(document: dict[str, Any]) -> bool:
    """Whether this is an agent, a Retell LLM, or both in one export."""
    return (
        isinstance(document.get("response_engine"), dict)
        or isinstance(document.get("general_prompt"), str)
        or (isinstance(document.get("nodes"), list) and "start_node_id" in document)
    )


def read(mapper: Mapper) -> None:
    """Map an agent and the language model or the flow inside its export."""
    for part in PARTS:
        inner = mapper.take(part, dict)
        if inner is not None:
            mapper.rest = {**inner, **mapper.rest}
    mapper.move("agent_name", "name")
    mapper.move("general_prompt", "system_prompt") or mapper.move("global_prompt", "system_prompt")
    mapper.move("begin_message", "welcome_message")
    if mapper.move("model", "model.name") or mapper.move("model_choice.model", "model.name"):
        mapper.put("model.provider", provider_of(mapper.document["model"]["name"]))
    mapper.move("model_temperature", "model.temperature")
    mapper.move("language", "language")
    mapper.move("voice_id", "voice.voice")
    mapper.move("voice_model", "voice.model")
    mapper.move("voice_speed", "voice.speed")
    if mapper.move("ambient_sound", "background_sound.sound"):
        mapper.put("background_sound.enabled", True)
        mapper.move("ambient_sound_volume", "background_sound.volume")
    mapper.move("reminder_trigger_ms", "turn_taking.silence_timeout_s", lambda ms: ms / 1000)
    mapper.move("end_call_after_silence_ms", "turn_taking.inactivity_timeout_s", lambda ms: ms / 1000)
    mapper.move("max_call_duration_ms", "turn_taking.max_duration_s", lambda ms: ms / 1000)
    add_tools(mapper, "general_tools")
    add_tools(mapper, "tools")
    for name, default in (mapper.take("default_dynamic_variables", dict) or {}).items():
        mapper.add("variables", {"name": name, "default": str(default)})
    for base in mapper.take("knowledge_base_ids", list) or []:
        mapper.add("knowledge_bases", {"id": str(base)})
    _take_analysis(mapper)
    _take_flow(mapper)


def _take_analysis(mapper: Mapper) -> None:
    kinds = {"string": "text", "enum": "choice", "number": "number", "boolean": "boolean"}
    left = []
    for entry in mapper.take("post_call_analysis_data", list) or []:
        known = isinstance(entry, dict) and entry.get("type") in kinds and isinstance(entry.get("name"), str)
        if not known:
            left.append(entry)
            continue
        field = {"name": entry["name"], "type": kinds[entry["type"]], "description": entry.get("description") or ""}
        mapper.add("call_analysis.fields", {**field, "choices": entry.get("choices") or []})
        if more := {
            key: value for key, value in entry.items() if key not in {"type", "description", "choices"}
        } and set(entry) - {"name", "type", "description", "choices"}:
            left.append({"name": entry["name"], **{key: entry[key] for key in more}})
    mapper.keep("post_call_analysis_data", left)


def _take_flow(mapper: Mapper) -> None:
    """Nodes with an `instruction` and edges of their own, as conversation flows have them."""
    nodes = mapper.take("nodes", list)
    if nodes is None:
        return
    mapper.put("kind", "workflow")
    left = []
    for node in nodes:
        if not isinstance(node, dict) or not isinstance(node.get("id"), str):
            left.append(node)
            continue
        data = {key: value for key, value in node.items() if key not in {"id", "type", "name", "edges"}}
        instruction = data.get("instruction")
        prompt = instruction.get("text") if isinstance(instruction, dict) else None
        mapper.add(
            "workflow.nodes",
            {
                "id": node["id"],
                "type": str(node.get("type") or ""),
                "label": str(node.get("name") or ""),
                "prompt": prompt if isinstance(prompt, str) else "",
                "data": data,
            },
        )
        for edge in [*(node.get("edges") or []), *([node["edge"]] if isinstance(node.get("edge"), dict) else [])]:
            _add_edge(mapper, node["id"], edge)
    mapper.keep("nodes", left)


def _add_edge(mapper: Mapper, source: str, edge: Any) -> None:
    if not isinstance(edge, dict) or not isinstance(edge.get("destination_node_id"), str):
        return
    condition = edge.get("transition_condition")
    words = condition.get("prompt") if isinstance(condition, dict) else None
    target = edge["destination_node_id"]
    mapper.add(
        "workflow.edges",
        {
            "id": str(edge.get("id") or f"{source} → {target}"),
            "source": source,
            "target": target,
            "condition": words if isinstance(words, str) else "",
            "data": {key: value for key, value in edge.items() if key not in {"id", "destination_node_id"}},
        },
    )
