"""What every voice framework needs of a configuration: filled prompts, and tools called over HTTP."""

import os
import re
from typing import Any

import httpx

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")
SECRET = re.compile(r"\{\{\s*secret:([A-Za-z0-9_]+)\s*\}\}")


def fill(text: str, configuration: dict[str, Any], values: dict[str, str] | None = None) -> str:
    """A prompt with its variables: the call's own `values`, else the configuration's defaults."""
    known = {each["name"]: each["default"] for each in configuration["variables"]} | (values or {})
    return VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def schema_of(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool's parameters as JSON Schema; a tool without any takes none."""
    return tool["parameters"] or {"type": "object", "properties": {}}


async def call_tool(tool: dict[str, Any], arguments: dict[str, Any]) -> str:
    """Call a tool's endpoint and give its answer as text.

    `{{secret:NAME}}` in a header is the environment's variable NAME: configurations never hold secrets. An error is
    told to the language model, which tells the caller; it never ends the call.
    """
    headers = {name: SECRET.sub(lambda found: os.environ[found[1]], text) for name, text in tool["headers"].items()}
    method = tool["method"]
    sent = {"params": arguments} if method in {"GET", "DELETE"} else {"json": arguments}
    try:
        async with httpx.AsyncClient(timeout=tool["timeout_s"]) as client:
            answer = await client.request(method, tool["endpoint"], headers=headers, **sent)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        return f"The tool failed ({type(error).__name__}). Say so, and go on without it."
    return answer.text
