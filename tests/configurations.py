"""Configurations of every shape for the laws: odd texts everywhere, tools of equal file names, any extensions."""

from typing import Any

from hypothesis import strategies as st

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.reading import read_document

odd = st.sampled_from(
    ["", "on", "No", "~", "null", "2024-01-01", "12:30", "0x1f", "1e3", ".5", "=", "<<", "- a", "a: b", "# x", "{{x}}",
     "\ttab", " lead", "trail \n", "a\r\nb", "a\n\n\nb\n", "no end", "\ufeffbom", "\u2028", "\x85",
     "\x1b[31m", "'", '"', "| \n", "مرحبا {x}", "你好", "🙂", "\n", "\n lead", "a\n  b",
     "%TAG", "---\n", "...\n", "*a", "&a", "!x", "x" * 300]
)  # fmt: skip
text = st.one_of(odd, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30))
key = st.one_of(st.sampled_from(["con", "a/b", "a b", "A", "a", "../x", "é", "."]), text.filter(bool)).map(
    lambda t: t[:200]
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(-1e15, 1e15), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=8,
)
tool = st.fixed_dictionaries(
    {"name": key, "description": text},
    optional={
        "kind": st.sampled_from(["webhook", "client", "built_in"]),
        "parameters": st.dictionaries(text, json_values, max_size=3),
    },
)
documents: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": key, "system_prompt": text, "welcome_message": text},
    optional={
        "tools": st.lists(tool, max_size=4, unique_by=lambda item: item["name"]),
        "variables": st.lists(
            st.fixed_dictionaries({"name": key, "default": text}), max_size=3, unique_by=lambda v: v["name"]
        ),
        "model": st.fixed_dictionaries({"temperature": st.floats(0, 2)}),
        "workflow": st.fixed_dictionaries(
            {
                "nodes": st.lists(
                    st.fixed_dictionaries({"id": key, "prompt": text}), max_size=3, unique_by=lambda n: n["id"]
                )
            }
        ),
        "extensions": st.dictionaries(text, json_values, max_size=3),
    },
)
configurations: st.SearchStrategy[AgentConfiguration] = documents.map(read_document)
