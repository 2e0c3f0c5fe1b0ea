"""Reads edits of a draft from its page: from JSON (autosave) or from a plain form (without scripts)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentversions.core.canonical_json import NotCanonicalisable, check, parse
from agentversions.core.configuration import AgentConfiguration, Tab
from agentversions.core.controls import ItemList, controls_in, lay_out
from agentversions.core.edits import Edit
from agentversions.core.paths import (
    MISSING,
    ItemKey,
    UnknownPath,
    join,
    key_field,
    label_of,
    split,
    value_at,
)
from agentversions.core.reading import FieldError, InvalidConfiguration, write_document
from agentversions.core.typed_values import read_typed


class TypedEdit(BaseModel):
    """One edit as the page sends it. `add` names a new item of a list; `take_back` brings back the latest version's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    op: Literal["set", "remove", "order", "add", "take_back"]
    path: str = Field(max_length=1_000)
    value: Any = None


class TypedEdits(BaseModel):
    """What the page sends: edits made on the draft state `base`, typed by `person` (a user's number)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    base: str = Field(max_length=64)
    person: int
    edits: list[TypedEdit] = Field(max_length=1_000)


@dataclass
class Basis:
    """What edits refer to, loaded when they do: the state they were typed on, and the latest version."""

    load_base: Callable[[], AgentConfiguration]
    load_latest: Callable[[], AgentConfiguration | None]

    @cached_property
    def document(self) -> dict[str, Any]:
        """The state that the edits were typed on."""
        return write_document(self.load_base())

    @cached_property
    def latest(self) -> dict[str, Any] | None:
        """The latest version, None before the first."""
        content = self.load_latest()
        return write_document(content) if content is not None else None


@dataclass(frozen=True)
class Submission:
    """Edits ready for the service, and the typed texts by the path of their control."""

    base: str
    edits: tuple[Edit, ...]
    typed: dict[str, str] = field(default_factory=dict)
    takes_back: bool = False


def read_typed_edits(body: bytes) -> TypedEdits:
    """The page's JSON, strictly. Raises InvalidConfiguration; what cannot be stored is blamed on its own field."""
    try:
        return TypedEdits.model_validate(parse(body))
    except NotCanonicalisable as error:
        raise InvalidConfiguration(_unstorable_fields(body) or (FieldError("", str(error)),)) from error
    except ValidationError as error:
        raise InvalidConfiguration((FieldError("", "This is not a list of edits. Load the page again."),)) from error


def resolve(typed: TypedEdits, basis: Basis) -> Submission:
    """The edits with typed texts turned into values. Raises InvalidConfiguration with every field that is wrong."""
    edits, errors = [], []
    for edit in typed.edits:
        try:
            edits.append(resolve_one(edit, basis))
        except UnknownPath as error:
            errors.append(FieldError(edit.path, str(error)))
        except InvalidConfiguration as error:
            errors += error.errors
    if errors:
        raise InvalidConfiguration(tuple(errors))
    texts = {edit.path: edit.value for edit in typed.edits if isinstance(edit.value, str)}
    return Submission(typed.base, tuple(edits), texts, any(edit.op == "take_back" for edit in typed.edits))


def resolve_one(edit: TypedEdit, basis: Basis) -> Edit:
    """One edit for the service. Raises UnknownPath or InvalidConfiguration."""
    if edit.op == "add":
        return _addition(edit, basis.document)
    if edit.op == "take_back":
        return _take_back(edit.path, basis.latest)
    if edit.op == "set":
        return Edit("set", edit.path, _typed_value(edit, basis))
    return Edit(edit.op, edit.path, edit.value)


def read_form(form: QueryDict, tab: Tab, basis: Basis) -> Submission:
    """The fields of a plain form that differ from the state it showed, then what its button says."""
    typed: dict[str, str] = {}
    edits: list[TypedEdit] = []
    for control in () if "only_action" in form else controls_in(lay_out(tab, basis.document)):
        name = f"field:{control.path}"
        if control.kind == "switch":
            value = "true" if name in form else "false"
        elif name in form:
            value = str(form[name]).replace("\r\n", "\n")
        else:
            continue
        if value != control.text.replace("\r\n", "\n"):
            typed[control.path] = value
            edits.append(TypedEdit(op="set", path=control.path, value=value))
    if form.get("action"):
        edits.append(_pressed_button(form, basis.document, tab))
    return resolve(TypedEdits(base=form.get("base", "")[:64], person=0, edits=edits), basis)


def _pressed_button(form: QueryDict, document: dict[str, Any], tab: Tab) -> TypedEdit:
    """What a button of the form does: `remove tools[crm]`, `up tools[crm]`, `add tools` with the name typed beside."""
    action, _, path = str(form["action"]).partition(" ")
    if action == "add":
        return TypedEdit(op="add", path=path, value=form.get(f"new:{path}", ""))
    if action == "rename":
        key = key_field(join(split(path)[:-1]))
        return TypedEdit(op="set", path=f"{path}.{key}", value=form.get(f"rename:{path}", ""))
    if action in ("up", "down"):
        return _moved(path, -1 if action == "up" else 1, document, tab)
    return TypedEdit.model_validate({"op": action, "path": path}) if action in ("remove", "take_back") else _nothing()


def _nothing() -> TypedEdit:
    raise InvalidConfiguration((FieldError("", "The form's button is not known. Load the page again."),))


def _moved(path: str, by: int, document: dict[str, Any], tab: Tab) -> TypedEdit:
    lists = (block for block in lay_out(tab, document) if isinstance(block, ItemList))
    found = next((block for block in lists if any(item.path == path for item in block.items)), None)
    if found is None:
        raise InvalidConfiguration((FieldError(path, "This was removed meanwhile. Load the page again."),))
    keys = [item.key for item in found.items]
    place = next(index for index, item in enumerate(found.items) if item.path == path)
    other = min(max(place + by, 0), len(keys) - 1)
    keys[place], keys[other] = keys[other], keys[place]
    return TypedEdit(op="order", path=found.path, value=keys)


def _typed_value(edit: TypedEdit, basis: Basis) -> Any:
    is_long_text = isinstance(edit.value, str) and "\n" in edit.value
    return read_typed(edit.path, edit.value, value_at(basis.document, edit.path) if is_long_text else "")


def _addition(edit: TypedEdit, document: dict[str, Any]) -> Edit:
    key, name = key_field(edit.path), str(edit.value or "").strip()
    if key is None:
        raise UnknownPath(f"“{edit.path}” is not a list.")
    path = join((*split(edit.path), ItemKey(name)))
    label = label_of(edit.path)
    if not name:
        raise InvalidConfiguration((FieldError(edit.path, f"{label}: type a name first."),))
    if value_at(document, path) is not MISSING:
        raise InvalidConfiguration((FieldError(edit.path, f"There is a “{name}” already. Choose another name."),))
    return Edit("set", path, {key: name})


def _take_back(path: str, latest: dict[str, Any] | None) -> Edit:
    """The edit that brings back what the latest version has: its value, its item, its order, or nothing there."""
    if latest is None:
        raise InvalidConfiguration((FieldError(path, "There is no version yet to take a value from."),))
    value = value_at(latest, path)
    if key := key_field(path):
        return Edit("order", path, [item[key] for item in value])
    return Edit("remove", path) if value is MISSING else Edit("set", path, value)


def _unstorable_fields(body: bytes) -> tuple[FieldError, ...]:
    """Which edits hold what JSON cannot carry (half a character, NUL, a huge number), each in a sentence of its own."""
    errors = []
    try:
        edits = json.loads(body)["edits"]
        for edit in edits:
            try:
                check(edit["value"])
            except NotCanonicalisable as error:
                path = str(edit["path"])
                errors.append(FieldError(path, str(error).replace("the top", label_of(path) or "the top")))
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(errors)
