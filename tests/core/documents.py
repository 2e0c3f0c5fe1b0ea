"""Configurations for property tests: complete documents, and pairs of them that differ in a few places."""

from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from agentversions.core.configuration import KEYED_LISTS, AgentConfiguration
from agentversions.core.paths import part_of
from agentversions.core.reading import read_document, write_document

KEYS = st.sampled_from(["a", "b", "c", "a.b", "x]y", "back\\slash", "[", "日本", " "])
WORDS = st.sampled_from(["", "one", "one two", "one\ntwo\n", "two\none\n", "  ", "{{name}}", "مرحبا", "<b>", "on", "1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0]) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Complete documents of valid configurations, as `write_document` gives them."""
    return _part("", AgentConfiguration).map(lambda document: write_document(AgentConfiguration(**document)))


def configurations() -> st.SearchStrategy[AgentConfiguration]:
    """Valid configurations."""
    return documents().map(read_document)


def _part(path: str, model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: _field(path, model, name) for name in model.model_fields})


def _field(path: str, model: type[BaseModel], name: str) -> st.SearchStrategy[Any]:
    field, key = model.model_fields[name], KEYED_LISTS.get((path, name))
    part = part_of(field)
    if key and part:
        items = _part(f"{path}.{name}" if path else name, part)
        return st.lists(items, max_size=3, unique_by=lambda item: item[key])
    if part and type(None) in get_args(field.annotation):
        return st.none() | _part(f"{path}.{name}", part)
    if part:
        return _part(f"{path}.{name}" if path else name, part)
    if field.is_required() and field.annotation is not int:
        return KEYS
    return _value(name, field.annotation)


def _value(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if type(None) in get_args(annotation):
        return st.none() | st.integers(1, 3)
    if annotation is bool:
        return st.booleans()
    if annotation in (int, float):
        return (
            st.sampled_from([1, 2, 3])
            if annotation is int or name.endswith("_s")
            else st.sampled_from([0.25, 0.5, 1.0])
        )
    if get_origin(annotation) is tuple:
        return st.lists(WORDS, max_size=2)
    if name == "headers":
        return st.dictionaries(st.sampled_from(["X-A", "X-B"]), WORDS, max_size=2)
    if get_origin(annotation) is dict:
        return OBJECTS
    return WORDS
