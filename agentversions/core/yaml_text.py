"""Reads and writes YAML strictly: what a person wrote is what arrives, and what cannot arrive whole is refused.

Scalars follow YAML 1.2 (`on` is a text, `12:30` is not a number of minutes, a date stays the text it is); numbers
with a leading zero or plus (telephone numbers, postcodes) stay texts too.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml

from .canonical_json import MAX_DEPTH, NotCanonicalisable, check, check_size

MAX_NODES = 200_000
"""Values in one document with all its aliases written out; a bomb of nested aliases has billions."""

INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)$")
FLOAT = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$|-?\.(?:inf|Inf|INF)$|\.(?:nan|NaN)$"
)
PREFIX = "tag:yaml.org,2002:"


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader with YAML 1.2's scalars and without silent overwriting of keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are texts, each once; `<<` merges as usual."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                raise NotCanonicalisable(f"{_place(key_node)}: a key must be a plain text.")
            if key in seen:
                raise NotCanonicalisable(f"{_place(key_node)}: the key “{key[:80]}” stands twice. Keep one of them.")
            seen.add(key)
            if key_node.tag != PREFIX + "merge":
                key_node.tag = PREFIX + "str"
        return super().construct_mapping(node, deep=deep)


_SCALARS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)$"), "~nN\0"),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("int", INTEGER, "-0123456789"),
    ("float", FLOAT, "-0123456789."),
    ("merge", re.compile(r"<<$"), "<"),
)
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        PREFIX + _name, _pattern, [*_first.replace("\0", ""), *([""] if "\0" in _first else [])]
    )


class _Dumper(yaml.CSafeDumper):
    """Quotes whatever this reader or an ordinary YAML 1.1 reader would take for something other than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out in full: an anchor is harder to read than the value."""
        return True


def _write_text(dumper: Any, text: str) -> Any:
    """Long texts as literal blocks, where every line survives that; the others as YAML thinks best."""
    is_block = "\n" in text and not re.search(
        r"[^\S\n](?:\n|$)|^\s|[^\n\t -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]", text
    )
    return dumper.represent_scalar(PREFIX + "str", text, style="|" if is_block else None)


_Dumper.add_representer(str, _write_text)
for _name, _pattern, _first in _SCALARS[:4]:
    _Dumper.add_implicit_resolver(
        PREFIX + _name, _pattern, [*_first.replace("\0", ""), *([""] if "\0" in _first else [])]
    )


def read_yaml(text: str) -> Any:
    """The values of one YAML document, JSON types only. Raises NotCanonicalisable with a sentence."""
    check_size(text)
    try:
        _refuse_bombs(text)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        raise NotCanonicalisable(_say(error)) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, NotCanonicalisable):
            raise
        raise NotCanonicalisable("A number in this YAML cannot be read. Put it in quotes.") from error
    check(value)
    return value


def write_yaml(value: Any) -> str:
    """YAML that `read_yaml` reads back exactly; readable where possible, quoted throughout where not."""
    text = _dump(value, style=None)
    try:
        if read_yaml(text) == value:
            return text
    except NotCanonicalisable:
        pass
    return _dump(value, style='"')


def _dump(value: Any, style: str | None) -> str:
    options: dict[str, Any] = {"allow_unicode": style is None, "sort_keys": False, "default_flow_style": False}
    text: str = yaml.dump(
        value, Dumper=_Dumper if style is None else yaml.CSafeDumper, width=10_000_000, default_style=style, **options
    )
    return text


def _refuse_bombs(text: str) -> None:
    """Count the values with every alias written out, and the depth, from the events: nothing is built yet."""
    sizes: dict[str, int] = {}
    stack: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise NotCanonicalisable(f"{_place(event)}: the alias “*{event.anchor}” names nothing before it.")
            total += sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            total += 1
            stack.append((event.anchor, total - 1))
            if len(stack) > MAX_DEPTH:
                raise NotCanonicalisable(f"The YAML is nested more than {MAX_DEPTH} levels deep. Flatten it.")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = stack.pop()
            if anchor:
                sizes[anchor] = total - before
        if total > MAX_NODES:
            raise NotCanonicalisable(
                f"The YAML has more than {MAX_NODES:,} values with its aliases written out. Write it without them."
            )


def _say(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML"
    place = f"Line {mark.line + 1}, column {mark.column + 1}" if mark else "The YAML cannot be read"
    return f"{place}: {words}."


def _place(node: Any) -> str:
    return f"Line {node.start_mark.line + 1}"
