"""Says what a parsed document is, from its content: which module reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import agent_files, elevenlabs, graphs, openai, pipecat, retell, vapi
from .mapper import Mapper


@dataclass(frozen=True)
class Format:
    """A foreign format: its name in words, the key of its rest under the extensions, how it is known and read."""

    title: str
    key: str
    recognises: Callable[[dict[str, Any]], bool]
    read: Callable[[Mapper], None]


FORMATS: tuple[Format, ...] = (
    Format(elevenlabs.TITLE, "elevenlabs", elevenlabs.recognises, elevenlabs.read),
    Format("Vapi structured output", "vapi", vapi.recognises_output, vapi.read_output),
    Format("Single tool", "tool", vapi.recognises_tool, vapi.read_tool),
    Format(agent_files.AZURE, "azure", agent_files.recognises_azure, agent_files.read_azure),
    Format(agent_files.TEMPLATES, "templates", agent_files.recognises_templates, agent_files.read_templates),
    Format(agent_files.ANALYSER, "analyser", agent_files.recognises_analyser, agent_files.read_analyser),
    Format(pipecat.TITLE, "pipecat", pipecat.recognises, pipecat.read),
    Format(retell.TITLE, "retell", retell.recognises, retell.read),
    Format(graphs.N8N, "n8n", graphs.recognises_n8n, graphs.read_n8n),
    Format(graphs.CONNECT, "connect", graphs.recognises_connect, graphs.read_connect),
    Format(openai.TITLE, "openai", openai.recognises, openai.read),
    Format("System prompt with tools", "document", openai.recognises_prompt_and_tools, openai.read_prompt_and_tools),
    Format(vapi.TITLE, "vapi", vapi.recognises, vapi.read),
    Format(agent_files.PROMPT, "header", agent_files.recognises_prompt, agent_files.read_prompt),
)
"""In this order: the first that recognises a document reads it."""
TOOL_LIST = Format("List of tools", "tools", lambda document: False, openai.read_tools)


def find_format(document: Any) -> Format | None:
    """The foreign format of a parsed document, None when it is none of those known."""
    if openai.recognises_tools(document):
        return TOOL_LIST
    if not isinstance(document, dict):
        return None
    return next((known for known in FORMATS if known.recognises(document)), None)
