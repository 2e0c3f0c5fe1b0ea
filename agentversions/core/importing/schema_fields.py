"""Call-analysis fields out of a JSON Schema."""

from typing import Any

from .mapper import Mapper

TYPES = {"string": "text", "number": "number", "integer": "number", "boolean": "boolean"}


def add_analysis_fields(mapper: Mapper, source: str, *, single: str = "") -> None:
    """One field for each property of the schema at `source`; a plain schema is one field called `single`. What the
    field cannot say (nested objects, limits) stays in the rest."""
    schema = mapper.take(source, dict)
    if schema is None:
        return
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        mapper.keep(source, _add(mapper, single, schema, is_required=True) if single else schema)
        return
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    left = {name: _add(mapper, name, part, is_required=name in names) for name, part in properties.items()}
    others = {key: value for key, value in schema.items() if key not in {"properties", "required"}}
    if others.get("type") == "object":
        del others["type"]
    mapper.keep(source, {**others, "properties": left})


def _add(mapper: Mapper, name: str, part: Any, *, is_required: bool) -> Any:
    """Add a field; what of its schema is left over."""
    if not isinstance(part, dict):
        return part
    field: dict[str, Any] = {"name": name, "required": is_required}
    left = dict(part)
    if isinstance(part.get("description"), str):
        field["description"] = left.pop("description")
    choices = part.get("enum")
    if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
        field |= {"type": "choice", "choices": left.pop("enum")}
        left.pop("type", None)
    elif isinstance(part.get("type"), str) and part["type"] in TYPES:
        field["type"] = TYPES[part["type"]]
        if part["type"] != "integer":
            del left["type"]
    try:
        mapper.add("call_analysis.fields", field)
    except ValueError:
        return part
    return left
