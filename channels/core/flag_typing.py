"""Values, hours and places of a flag as people type and choose them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.configuration import TAB_OF_FIELD
from agentversions.core.controls import Control, ControlKind, controls_of, kind_of, text_of
from agentversions.core.paths import MISSING, UnknownPath, field_of, label_of, split
from agentversions.core.reading import InvalidConfiguration
from agentversions.core.typed_values import NUMBER, read_typed

from .flag_fit import check_path
from .flags import WHOLE_DAY, FlagType

_CLOCK = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})(?::00)?\s*")
_KINDS: dict[FlagType, ControlKind] = {
    FlagType.BOOLEAN: "switch",
    FlagType.STRING: "text",
    FlagType.INTEGER: "number",
    FlagType.NUMBER: "number",
    FlagType.JSON: "json",
}


class NotTyped(ValueError):
    """A text that is no value of this kind; the message is a sentence that says what to type."""


@dataclass(frozen=True)
class FieldChoice:
    """A place that a flag may act on, the tab of the editor where it stands, and how its value is typed."""

    tab: str
    control: Control

    @property
    def path(self) -> str:
        """The place."""
        return self.control.path

    @property
    def label(self) -> str:
        """The place in words."""
        return label_of(self.path)


def field_choices(documents: Iterable[dict[str, Any]]) -> tuple[FieldChoice, ...]:
    """Every place of these configurations that a flag may act on, in the order of the schema, each once."""
    controls: dict[str, Control] = {}
    for document in documents:
        for path, control in controls_of(document).items():
            controls.setdefault(path, control)
    return tuple(
        FieldChoice(TAB_OF_FIELD[str(split(path)[0])].label, control)
        for path, control in controls.items()
        if _may_change(path)
    )


def _may_change(path: str) -> bool:
    try:
        check_path(path)
    except UnknownPath:
        return False
    return True


def kind_of_value(flag_type: FlagType, subject: str) -> ControlKind:
    """How a value of such a flag is typed; for a path that does not exist, as text."""
    if flag_type != FlagType.PATH:
        return _KINDS.get(flag_type, "line")
    try:
        return kind_of(field_of(subject))
    except UnknownPath:
        return "line"


def read_value(flag_type: FlagType, subject: str, typed: str) -> Any:
    """The value that a text means. Raises NotTyped with a sentence that says what to type."""
    if flag_type == FlagType.PATH:
        try:
            return read_typed(subject, typed)
        except InvalidConfiguration as error:
            raise NotTyped(str(error)) from error
        except UnknownPath:
            return typed
    if flag_type == FlagType.STRING:
        return typed.replace("\r\n", "\n")
    if flag_type == FlagType.JSON:
        try:
            return parse(typed)
        except NotCanonicalisable as error:
            raise NotTyped(str(error)) from error
    text = typed.strip()
    if flag_type == FlagType.BOOLEAN:
        if text not in ("true", "false"):
            raise NotTyped("Choose true or false.")
        return text == "true"
    if not NUMBER.fullmatch(text):
        raise NotTyped("Type a number such as 12 or 0.5, with a point and no unit.")
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def text_of_value(flag_type: FlagType, subject: str, value: Any) -> str:
    """A value as text; `read_value` undoes it."""
    if value is MISSING:
        return ""
    if flag_type == FlagType.PATH:
        return text_of(kind_of_value(flag_type, subject), value)
    if flag_type == FlagType.STRING:
        return str(value)
    return json.dumps(value, indent=2 if flag_type == FlagType.JSON else None, ensure_ascii=False)


def read_clock(text: str, empty: int) -> int:
    """A minute of the day typed as `18:00` (`24:00` is its end), `empty` for nothing. Raises NotTyped."""
    if not text.strip():
        return empty
    match = _CLOCK.fullmatch(text)
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minute <= WHOLE_DAY:
        raise NotTyped(f"“{text.strip()[:20]}” is no time of the day. Write it like 18:00.")
    return minute
