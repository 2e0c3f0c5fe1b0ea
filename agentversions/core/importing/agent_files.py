"""Agents kept as small files: Azure voice agents, agents of templates, call analysers, prompts with a header."""

from typing import Any

from .mapper import Mapper, look_up
from .schema_fields import add_analysis_fields
from .tools import add_tools

AZURE, TEMPLATES, ANALYSER, PROMPT = "Azure voice agent", "agent of templates", "call analyser", "prompt with a header"


def recognises_azure(document: dict[str, Any]) -> bool:
    """Whether this is an agent with a model deployment (Azure's voice and Foundry agents)."""
    return isinstance(document.get("agent"), dict) and look_up(document, "model.deployment_id") is not None


def read_azure(mapper: Mapper) -> None:
    """Map an agent; a prompt in a file of its own is named in a warning."""
    mapper.move("agent.name", "name")
    mapper.move("agent.instructions", "system_prompt")
    mapper.put("model.provider", "azure")
    mapper.move("model.deployment_id", "model.name")
    mapper.move("model.temperature", "model.temperature")
    mapper.move("model.max_completion_tokens", "model.max_tokens") or mapper.move(
        "model.max_tokens", "model.max_tokens"
    )
    if mapper.move("voice.name", "voice.voice"):
        mapper.put("voice.provider", "azure")
        mapper.put("language", "-".join(mapper.document["voice"]["voice"].split("-")[:2]))
    mapper.move("voice.rate", "voice.speed", lambda rate: round(1 + float(rate.rstrip("%")) / 100, 3))
    add_tools(mapper, "tools")
    path = look_up(mapper.rest, "prompts.path")
    if path and "system_prompt" not in mapper.document:
        mapper.warnings.append(f"The system prompt is in another file, “{path}”. Paste it before you publish.")


def recognises_templates(document: dict[str, Any]) -> bool:
    """Whether this is an agent whose prompts are templates: agent.system_template."""
    return isinstance(look_up(document, "agent.system_template"), str)


def read_templates(mapper: Mapper) -> None:
    """Map the system template as the prompt and the others as steps, so that each is compared as a text."""
    mapper.move("agent.system_template", "system_prompt")
    mapper.move("model.model_name", "model.name")
    mapper.move("model.model_kwargs.temperature", "model.temperature")
    for part in ("agent", "model"):
        for name in [key for key in (look_up(mapper.rest, part) or {}) if str(key).endswith("_template")]:
            text = mapper.take(f"{part}.{name}", str)
            if text is not None:
                label = name.removesuffix("_template").replace("_", " ").capitalize()
                mapper.add(
                    "workflow.nodes", {"id": f"{part}.{name}", "type": "template", "label": label, "prompt": text}
                )


def recognises_analyser(document: dict[str, Any]) -> bool:
    """Whether this is an analyser of finished calls: a schema of fields."""
    return isinstance(look_up(document, "fieldSchema.fields"), dict)


def read_analyser(mapper: Mapper) -> None:
    """Map the fields; how each is found (generated, classified) stays in the rest."""
    mapper.move("name", "name")
    mapper.move("fieldSchema.descriptions", "call_analysis.prompt")
    fields = mapper.take("fieldSchema.fields", dict)
    mapper.rest["fieldSchema"]["fields"] = {"properties": fields}
    add_analysis_fields(mapper, "fieldSchema.fields")
    mapper.warnings.append("This document is a call analysis, not an agent. Write a prompt before you publish.")


def recognises_prompt(document: dict[str, Any]) -> bool:
    """Whether this is a prompt with a few fields beside it (a command in TOML)."""
    return isinstance(document.get("prompt"), str) and len(document) <= 6


def read_prompt(mapper: Mapper) -> None:
    """Map the prompt and its name."""
    mapper.move("name", "name")
    mapper.move("prompt", "system_prompt")
