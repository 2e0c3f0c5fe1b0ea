"""Flows that are graphs and no more: n8n workflows and Amazon Connect contact flows."""

from typing import Any

from .mapper import Mapper, look_up

N8N, CONNECT = "n8n workflow", "Amazon Connect contact flow"


def recognises_n8n(document: dict[str, Any]) -> bool:
    """Whether this is a workflow of n8n: a list of nodes, and connections by node name."""
    return isinstance(document.get("nodes"), list) and isinstance(document.get("connections"), dict)


def read_n8n(mapper: Mapper) -> None:
    """Map the nodes by their names, as the connections know them."""
    mapper.put("kind", "workflow")
    mapper.move("name", "name")
    left = []
    for node in mapper.take("nodes", list):
        if isinstance(node, dict) and isinstance(node.get("name"), str):
            data = {key: value for key, value in node.items() if key not in {"name", "type"}}
            label, kind = node["name"], str(node.get("type") or "")
            mapper.add("workflow.nodes", {"id": label, "type": kind, "label": label, "data": data})
        else:
            left.append(node)
    mapper.keep("nodes", left)
    for source, outputs in mapper.take("connections", dict).items():
        for output, branches in (outputs if isinstance(outputs, dict) else {}).items():
            for index, targets in enumerate(branches if isinstance(branches, list) else []):
                for target in targets or []:
                    _add_edge(
                        mapper,
                        source,
                        str(target.get("node")),
                        condition="",
                        data={"output": output, "index": index, **target},
                    )


def recognises_connect(document: dict[str, Any]) -> bool:
    """Whether this is a contact flow: modules with branches, or actions with transitions (the newer shape)."""
    return (isinstance(document.get("modules"), list) and "start" in document) or (
        isinstance(document.get("Actions"), list) and "StartAction" in document
    )


def read_connect(mapper: Mapper) -> None:
    """Map the blocks; what a block says is its prompt."""
    mapper.put("kind", "workflow")
    mapper.move("metadata.name", "name")
    for module in mapper.take("modules", list) or []:
        parameters = {
            part.get("name"): part.get("value") for part in module.get("parameters") or [] if isinstance(part, dict)
        }
        data = {key: value for key, value in module.items() if key not in {"id", "type", "branches"}}
        _add_block(mapper, str(module.get("id")), str(module.get("type") or ""), parameters.get("Text"), data)
        if module.get("type") == "SetVoice" and isinstance(parameters.get("GlobalVoice"), str):
            mapper.put("voice", {"provider": "aws", "voice": parameters["GlobalVoice"]})
        for branch in module.get("branches") or []:
            words = " ".join(
                str(branch[key]) for key in ("condition", "conditionType", "conditionValue") if branch.get(key)
            )
            _add_edge(mapper, str(module.get("id")), str(branch.get("transition")), condition=words, data={})
    for action in mapper.take("Actions", list) or []:
        data = {key: value for key, value in action.items() if key not in {"Identifier", "Type"}}
        name = str(action.get("Identifier"))
        _add_block(mapper, name, str(action.get("Type") or ""), look_up(action, "Parameters.Text"), data)
        for kind in ("NextAction", "Conditions", "Errors"):
            ways = look_up(action, f"Transitions.{kind}")
            for way in [{"NextAction": ways}] if isinstance(ways, str) else ways or []:
                _add_edge(
                    mapper, name, str(way.get("NextAction")), condition="" if kind == "NextAction" else kind, data=way
                )


def _add_block(mapper: Mapper, name: str, kind: str, said: Any, data: dict[str, Any]) -> None:
    prompt = said if isinstance(said, str) else ""
    mapper.add("workflow.nodes", {"id": name, "type": kind, "label": kind, "prompt": prompt, "data": data})


def _add_edge(mapper: Mapper, source: str, target: str, *, condition: str, data: dict[str, Any]) -> None:
    name = f"{source[:90]} → {target[:90]}"
    mapper.add("workflow.edges", {"id": name, "source": source, "target": target, "condition": condition, "data": data})
