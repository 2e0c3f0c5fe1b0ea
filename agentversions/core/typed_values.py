"""Turns what somebody typed into the field's value; each refusal names the field and, in JSON, the line."""

import re
from dataclasses import dataclass
from typing import Any

from .canonical_json import NotCanonicalisable, parse
from .controls import control_path_of, kind_of
from .json_places import line_of, line_of_message, location_of
from .paths import field_of, label_of, split
from .reading import FieldError, InvalidConfiguration

NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True)
class LinedError(FieldError):
    """An error of a field that is edited as JSON, with the line it stands on."""

    line: int | None = None


def read_typed(path: str, typed: Any, before: Any = "") -> Any:
    """The value that a control's text means; what is no text is passed on. Raises InvalidConfiguration or UnknownPath.

    `before` is the value in the draft: browsers turn every line end into LF, so a text that had CRLF gets them back.
    """
    field = field_of(path)
    kind = kind_of(field)
    if not isinstance(typed, str):
        return typed
    if kind == "json":
        return _read_json(path, typed)
    if kind == "lines":
        return [line.strip() for line in typed.splitlines() if line.strip()]
    if kind == "switch":
        return typed in ("true", "on")
    if kind == "number":
        return _read_number(path, typed.strip())
    return _with_line_ends_of(before, typed)


def with_lines(errors: tuple[FieldError, ...], typed: dict[str, str]) -> tuple[LinedError, ...]:
    """The errors at the controls that show their fields, with the line where that control holds JSON."""
    return tuple(_with_line(error, typed) for error in errors)


def _with_line(error: FieldError, typed: dict[str, str]) -> LinedError:
    if isinstance(error, LinedError):
        return error
    path = control_path_of(error.path)
    text = typed.get(path)
    if text is None or not error.path or kind_of(field_of(path)) != "json":
        return LinedError(path, error.message)
    steps = split(error.path)[len(split(path)) :]
    return LinedError(path, error.message, line_of(text, location_of(parse(text), steps)))


def _read_json(path: str, typed: str) -> Any:
    try:
        value = parse(typed)
    except NotCanonicalisable as error:
        raise InvalidConfiguration((LinedError(path, str(error), line_of_message(str(error))),)) from error
    if not isinstance(value, dict):
        raise InvalidConfiguration((LinedError(path, f"{label_of(path)} must be a JSON object: {{ … }}.", 1),))
    return value


def _read_number(path: str, typed: str) -> Any:
    if not typed:
        if type(None) in getattr(field_of(path).annotation, "__args__", ()):
            return None
        raise InvalidConfiguration((FieldError(path, f"{label_of(path)} is empty. Type a number."),))
    if not NUMBER.fullmatch(typed):
        message = f"{label_of(path)} must be a number such as 12 or 0.5, with a point and no unit."
        raise InvalidConfiguration((FieldError(path, message),))
    return int(typed) if typed.lstrip("+-").isdecimal() else float(typed)


def _with_line_ends_of(before: Any, typed: str) -> str:
    lines = typed.replace("\r\n", "\n")
    had_only_crlf = isinstance(before, str) and "\r\n" in before and before.count("\n") == before.count("\r\n")
    return lines.replace("\n", "\r\n") if had_only_crlf else lines
