"""Histories from elsewhere: a folder with `history.json` and a file per step, or an exported agent's versions."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.exchange import AgentCopy
from agentversions.core.reading import FieldError, InvalidConfiguration, write_body

from .read import read_import, read_whole_text

INDEX = "history.json"
LONGEST_NAME = 200


@dataclass(frozen=True)
class PastVersion:
    """A version that was made elsewhere; `body` is canonical JSON, kept to the byte."""

    name: str
    description: str
    created_at: datetime
    body: str


@dataclass(frozen=True)
class History:
    """A named history, oldest step first."""

    name: str
    steps: tuple[PastVersion, ...]


def read_history(index: bytes, read_file: Callable[[str], bytes]) -> History:
    """The history that `history.json` describes; `read_file` gives a step's bytes by its file name.

    Every step is named after the history, so that equal contents are equal configurations. Raises InvalidConfiguration.
    """
    try:
        document = parse(index)
    except NotCanonicalisable as error:
        raise _refused(f"{INDEX}: {error}") from error
    steps = document.get("history") if isinstance(document, dict) else None
    if not isinstance(steps, list) or not steps or not isinstance(document.get("name"), str):
        raise _refused(f"{INDEX} needs a “name” and a “history” with at least one step.")
    try:
        return History(document["name"], tuple(_step(document["name"], step, read_file) for step in steps))
    except (KeyError, TypeError, AttributeError) as error:
        raise _refused(f"{INDEX}: a step needs “file”, “subject” and “author_date” ({error}).") from error


def past_versions_of(copy: AgentCopy) -> tuple[PastVersion, ...]:
    """The versions of an exported agent. Raises InvalidConfiguration when a date is none."""
    return tuple(
        PastVersion(version.name, version.description, _time_of(version.created_at, f"V{version.number}"), version.body)
        for version in copy.versions
    )


def _step(history: str, step: dict[str, Any], read_file: Callable[[str], bytes]) -> PastVersion:
    file, subject = step["file"], " ".join(step["subject"].split()) or f"Step {step.get('version', '')}".strip()
    if PurePosixPath(file).name != file:
        raise _refused(f"{INDEX}: “{file}” is not a file of this folder.")
    content = read_file(file)
    if "sha256" in step and hashlib.sha256(content).hexdigest() != step["sha256"]:
        raise _refused(f"{file} was changed: its SHA-256 is not the one in {INDEX}.")
    name = f"{history}{PurePosixPath(file).suffix}"
    try:
        imported = read_import(name, content)
    except InvalidConfiguration:
        imported = read_whole_text(name, content)
    is_cut = len(subject) > LONGEST_NAME
    notes = [subject if is_cut else "", f"Commit {step['commit'][:10]}" if step.get("commit") else ""]
    return PastVersion(
        name=f"{subject[: LONGEST_NAME - 1]}…" if is_cut else subject,
        description="\n".join(note for note in notes if note),
        created_at=_time_of(step["author_date"], file),
        body=write_body(imported.configuration),
    )


def _time_of(text: str, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _refused(f"{place}: “{text[:40]}” is no date with a time zone, such as 2026-11-18T16:42:00+00:00.")
    return moment


def _refused(message: str) -> InvalidConfiguration:
    return InvalidConfiguration((FieldError("", message),))
