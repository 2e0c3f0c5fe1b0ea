"""Tools as most platforms write them: OpenAI's function shape, flat or nested, and Vapi's and ElevenLabs' relatives."""

from typing import Any

from .mapper import Mapper, without_empty

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
BUILT_IN = {
    "endCall",
    "transferCall",
    "handoff",
    "dtmf",
    "voicemail",
    "query",
    "sms",
    "system",
    "end_call",
    "transfer_call",
}


def add_tools(mapper: Mapper, source: str, *, place: str = "") -> None:
    """Move every tool of the list at `source`; what a tool has beyond ours stays in the rest under the tool's name."""
    listed = mapper.take(source, list)
    if listed is None:
        return
    rest: list[Any] = []
    for entry in listed:
        try:
            name, left = add_tool(mapper, entry)
        except (TypeError, ValueError):
            rest.append(entry)
            continue
        if left:
            rest.append({"name": name, **left})
    mapper.keep(place or source, rest)


def add_tool(mapper: Mapper, entry: Any) -> tuple[str, dict[str, Any]]:
    """Add one tool; give its key and what is left of it. Raises ValueError when this is no tool."""
    if isinstance(entry, str):
        return mapper.add("tools", {"name": entry.strip(), "kind": "client"}), {}
    part = Mapper(_flat(entry))
    kind = part.take("type", str) or "function"
    names = (part.take("name", str) or "", kind if kind in BUILT_IN else "")
    tool: dict[str, Any] = {"name": names[0] or names[1]}
    _move(part, tool, "description", "description", str)
    for field in ("parameters", "parametersJsonSchema", "input_schema", "body", "args_schema"):
        if "parameters" not in tool:
            _move(part, tool, field, "parameters", dict)
    for field in ("url", "server.url", "api_schema.url"):
        if "endpoint" not in tool:
            _move(part, tool, field, "endpoint", str)
    _take_method(part, tool)
    _take_headers(part, tool)
    for field, factor in (
        ("timeoutSeconds", 1),
        ("server.timeoutSeconds", 1),
        ("response_timeout_secs", 1),
        ("timeout_ms", 0.001),
    ):
        seconds = part.take(field, (int, float))
        if isinstance(seconds, bool) or seconds is None or not 0 < seconds * factor <= 600:
            continue
        tool["timeout_s"] = seconds * factor
    _take_speech(part, tool)
    tool["kind"] = "built_in" if kind in BUILT_IN else "webhook" if tool.get("endpoint") else "client"
    left = without_empty(part.rest) or {}
    if kind not in {"function", "apiRequest", "webhook", "client"} and kind != tool["name"]:
        left["type"] = kind
    return mapper.add("tools", tool), left


def _flat(entry: Any) -> dict[str, Any]:
    """`{"type": "function", "function": {…}}` as one object."""
    if not isinstance(entry, dict):
        raise ValueError("A tool is an object.")
    inner = entry.get("function")
    return (
        {**{key: value for key, value in entry.items() if key != "function"}, **inner}
        if isinstance(inner, dict)
        else entry
    )


def _move(part: Mapper, tool: dict[str, Any], source: str, target: str, kind: type) -> None:
    value = part.take(source, kind)
    if value is not None:
        tool[target] = value


def _take_method(part: Mapper, tool: dict[str, Any]) -> None:
    for field in ("method", "api_schema.method"):
        method = part.take(field, str)
        if method and method.upper() in METHODS:
            tool["method"] = method.upper()
        elif method:
            part.keep(field, method)


def _take_headers(part: Mapper, tool: dict[str, Any]) -> None:
    """Headers as plain texts, or as JSON Schema with constant values (Vapi)."""
    for field in ("headers", "server.headers", "api_schema.request_headers"):
        headers = part.take(field, dict)
        if headers is None:
            continue
        schema = headers.get("properties")
        plain = (
            {key: value.get("value") for key, value in schema.items() if isinstance(value, dict)}
            if isinstance(schema, dict)
            else headers
        )
        texts = {key: value for key, value in plain.items() if isinstance(value, str)}
        tool.setdefault("headers", {}).update(texts)
        if len(texts) < len(plain):
            part.keep(field, headers)


def _take_speech(part: Mapper, tool: dict[str, Any]) -> None:
    """What is said while the tool runs: Vapi's request-start message, Retell's execution message."""
    said = part.take("execution_message_description", str)
    messages = part.take("messages", list) or []
    for message in list(messages):
        if (
            said is None
            and isinstance(message, dict)
            and message.get("type") == "request-start"
            and set(message) <= {"type", "content"}
        ):
            said = message.get("content")
            messages.remove(message)
    part.keep("messages", messages)
    if isinstance(said, str):
        tool["speech_while_running"] = said
