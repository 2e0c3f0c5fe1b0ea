"""Turns JSON into a configuration and back; every refusal is a sentence that names the field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from .canonical_json import NotCanonicalisable, canonical, check, parse
from .configuration import AgentConfiguration
from .paths import label_of
from .secrets import address_holds_credentials, is_secret_header


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its path (`tools[crm].timeout_s`, empty for the whole) and a sentence."""

    path: str
    message: str


class InvalidConfiguration(ValueError):
    """A configuration that cannot be stored, with one error per field."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        self.errors = errors
        super().__init__(" ".join(error.message for error in errors))


def read_body(body: str) -> AgentConfiguration:
    """The configuration of a stored body; fields the schema gained since then get their defaults."""
    return AgentConfiguration.model_validate_json(body)


def read_json(text: str | bytes) -> AgentConfiguration:
    """The configuration of a JSON text from outside. Raises InvalidConfiguration."""
    try:
        document = parse(text)
    except NotCanonicalisable as error:
        raise InvalidConfiguration((FieldError("", str(error)),)) from error
    return read_document(document)


def read_document(document: Any) -> AgentConfiguration:
    """The configuration of a parsed JSON document from outside. Raises InvalidConfiguration."""
    return read_with_body(document)[0]


def read_with_body(document: Any) -> tuple[AgentConfiguration, str]:
    """The configuration of a document from outside, with its canonical JSON. Raises InvalidConfiguration."""
    if not isinstance(document, Mapping):
        raise InvalidConfiguration((FieldError("", "A configuration is a JSON object with a “name”."),))
    try:
        check(document)
        configuration = AgentConfiguration.model_validate(document)
        body = write_body(configuration)
    except NotCanonicalisable as error:
        raise InvalidConfiguration((FieldError("", str(error)),)) from error
    except ValidationError as error:
        raise InvalidConfiguration(tuple(_field_error(detail, document) for detail in error.errors())) from error
    refused = tuple(_secrets_in(configuration))
    if refused:
        raise InvalidConfiguration(refused)
    return configuration, body


def write_document(configuration: AgentConfiguration) -> dict[str, Any]:
    """The complete configuration as JSON values, every field present."""
    return configuration.model_dump(mode="json")


def write_body(configuration: AgentConfiguration) -> str:
    """The canonical JSON (RFC 8785) of the complete configuration: what is stored."""
    return canonical(write_document(configuration))


def _secrets_in(configuration: AgentConfiguration) -> list[FieldError]:
    errors = []
    for tool in configuration.tools:
        for header, value in tool.headers.items():
            if is_secret_header(header, value):
                message = (
                    f"The header “{header}” of the tool “{tool.name}” looks like a key. Write {{{{secret:NAME}}}} "
                    "instead: the voice platform fills the secret in, it is never stored here."
                )
                errors.append(FieldError(f"tools[{tool.name}].headers", message))
        if address_holds_credentials(tool.endpoint):
            message = (
                f"The address of the tool “{tool.name}” holds a key or a password. Write {{{{secret:NAME}}}} instead."
            )
            errors.append(FieldError(f"tools[{tool.name}].endpoint", message))
    return errors


def _field_error(detail: Any, document: Mapping[str, Any]) -> FieldError:
    path = _path_of(detail["loc"], document)
    label = label_of(path) or "The configuration"
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return FieldError(path, str(context["error"]))
    if kind == "extra_forbidden":
        return FieldError(path, f"“{path}” is not a field of a configuration. Remove it, or put it under “extensions”.")
    if kind == "missing":
        return FieldError(path, f"{label} is missing. Fill it in.")
    if kind == "literal_error":
        return FieldError(path, f"{label} must be one of {context['expected']}.")
    if kind == "string_too_long":
        return FieldError(path, f"{label} is longer than {context['max_length']} characters. Shorten it.")
    if kind == "string_too_short":
        return FieldError(path, f"{label} is empty. Fill it in.")
    limits = {
        "greater_than_equal": ("at least", "ge"),
        "less_than_equal": ("at most", "le"),
        "greater_than": ("more than", "gt"),
    }
    if kind in limits:
        words, name = limits[kind]
        return FieldError(path, f"{label} must be {words} {context[name]}.")
    return FieldError(path, f"{label}: {_plain(detail['msg'])}.")


def _plain(message: str) -> str:
    return message.removeprefix("Input ").removeprefix("Value error, ").rstrip(".")


def _path_of(location: tuple[int | str, ...], document: Any) -> str:
    """Pydantic's location as a path; items of keyed lists are named by their key where they have one."""
    path, value = "", document
    for step in location:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list | tuple) and step < len(value) else None
            key = (value.get("name") or value.get("id")) if isinstance(value, Mapping) else None
            path += f"[{key if isinstance(key, str) else step}]"
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
            path += f".{step}" if path else step
    return path
