"""Pipecat flows: nodes with messages and functions, joined by the functions' names or by `transition_to`."""

from typing import Any

from .mapper import Mapper
from .tools import add_tool

TITLE = "Pipecat flow"
MESSAGES = ("role_messages", "task_messages", "messages")


def recognises(document: dict[str, Any]) -> bool:
    """Whether this is a flow: an initial node and the nodes by name."""
    return isinstance(document.get("nodes"), dict) and isinstance(document.get("initial_node"), str)


def read(mapper: Mapper) -> None:
    """Map a flow: a node's task is its prompt, its functions are tools and edges."""
    mapper.put("kind", "workflow")
    first = mapper.take("initial_node", str)
    nodes: dict[str, Any] = mapper.take("nodes", dict)
    found = nodes.get(first or "")
    start: dict[str, Any] = found if isinstance(found, dict) else {}
    roles = _texts(start.get("role_messages"))
    if roles:
        mapper.put("system_prompt", "\n\n".join(roles))
    said = [action.get("text") for action in start.get("pre_actions") or [] if isinstance(action, dict)]
    if len(said) == 1 and isinstance(said[0], str):
        mapper.put("welcome_message", said[0])
    left = {
        name: node for name, node in nodes.items() if not _add_node(mapper, name, node, nodes, is_first=name == first)
    }
    mapper.keep("nodes", left)


def _add_node(mapper: Mapper, name: str, node: Any, nodes: dict[str, Any], *, is_first: bool) -> bool:
    if not isinstance(node, dict):
        return False
    prompt = "\n\n".join(text for field in MESSAGES[1:] for text in _texts(node.get(field)))
    data = dict(node)
    functions = node.get("functions")
    if isinstance(functions, list):
        data["functions"] = [_add_function(mapper, name, function, nodes) for function in functions]
    for field in MESSAGES[1:]:
        if _is_plain(node.get(field)):
            del data[field]
    kind = "start" if is_first else "end" if not functions else "conversation"
    mapper.add("workflow.nodes", {"id": name, "type": kind, "label": _label(name), "prompt": prompt, "data": data})
    return True


def _add_function(mapper: Mapper, node: str, function: Any, nodes: dict[str, Any]) -> Any:
    """Add a function as a tool and, where it leads somewhere, as an edge; give what the node keeps of it."""
    try:
        tool, left = add_tool(mapper, function)
    except (TypeError, ValueError):
        return function
    target = left.get("transition_to") or (tool if tool in nodes else None)
    if isinstance(target, str):
        edge = {"id": f"{node} → {target}", "source": node, "target": target, "condition": f"{tool} is called"}
        mapper.add("workflow.edges", edge)
    return {"tool": tool, **left}


def _texts(messages: Any) -> list[str]:
    entries = messages if isinstance(messages, list) else []
    return [entry["content"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("content"), str)]


def _is_plain(messages: Any) -> bool:
    """Whether the messages say nothing beyond one system text, so that the node's prompt holds all of it."""
    return (
        isinstance(messages, list)
        and len(messages) == 1
        and isinstance(messages[0], dict)
        and (
            set(messages[0]) == {"role", "content"}
            and messages[0]["role"] == "system"
            and isinstance(messages[0]["content"], str)
        )
    )


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
