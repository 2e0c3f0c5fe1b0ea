"""JSON as people read it: indented, keys in order, and long texts broken where their lines end."""

import json
import re
from typing import Any

LINE_END = re.compile(r"(?<!\\)((?:\\\\)*)\\n(?!\")")
"""An escaped line end inside a string, not its last characters."""


def pretty(value: Any) -> str:
    """The value indented by two spaces. A line end inside a string stays `\\n` and also breaks the line, so that a
    changed line of a long text is one changed line. For reading only: the breaks are not JSON."""
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False, sort_keys=True)
    return "\n".join(_broken(line) for line in text.split("\n")) + "\n"


def _broken(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return LINE_END.sub(lambda found: f"{found[1]}\\n\n{indent}", line)


def _plain(value: Any) -> Any:
    """`1.0` as `1`, as the canonical text has it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
