"""What flags make of a configuration: an overlay for one call, with a digest of its own; the version never changes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from agentversions.core.canonical_json import canonical
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.equality import same
from agentversions.core.paths import MISSING, ItemKey, UnknownPath, join, split, value_at
from agentversions.core.reading import InvalidConfiguration, read_body, read_document, write_body, write_document

from .flag_rules import Evaluation
from .flags import ON, Flag, FlagType


@dataclass(frozen=True)
class Change:
    """What one flag wants of a configuration: a tool taken away, or a value at a path."""

    flag: str
    type: FlagType
    subject: str
    value: Any

    @cached_property
    def path(self) -> str:
        """The place that it acts on."""
        return join(("tools", ItemKey(self.subject))) if self.type == FlagType.TOOL else self.subject

    @property
    def edit(self) -> Edit:
        """The change as an edit of a document."""
        return Edit("remove", self.path) if self.type == FlagType.TOOL else Edit("set", self.path, self.value)


@dataclass(frozen=True)
class Skipped:
    """A change that this version cannot take, and why, as a sentence."""

    flag: str
    words: str


Overlaid = tuple[AgentConfiguration, tuple[str, ...], tuple[Skipped, ...]]
"""A configuration, the keys of the flags that changed it, and what was skipped."""


@dataclass(frozen=True)
class Effective:
    """What answers: the canonical body and its digest (those of the version when nothing changed), the keys of the
    flags that changed it, and what was skipped. A call is never refused for a flag."""

    body: str
    digest: str
    flags: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def changes_of(flags: Iterable[Flag], evaluations: Mapping[str, Evaluation]) -> tuple[Change, ...]:
    """What the evaluated flags (by key) want, in the order in which it is done: parts before the fields inside them,
    then by key, so that of two flags on one place the later key wins; tools go last."""
    wanted = [
        Change(flag.key, flag.type, flag.subject, evaluations[flag.key].value)
        for flag in flags
        if flag.type.is_overlay and flag.key in evaluations and not _leaves(flag, evaluations[flag.key])
    ]
    return tuple(sorted(wanted, key=_place_in_order))


def write_changes(changes: tuple[Change, ...]) -> str:
    """The changes' canonical JSON: with the version's body, all that is needed to make the same configuration again."""
    return canonical(
        [{"flag": each.flag, "type": each.type, "subject": each.subject, "value": each.value} for each in changes]
    )


def read_changes(body: str) -> tuple[Change, ...]:
    """The changes of a canonical JSON text, as `write_changes` wrote it."""
    return tuple(
        Change(each["flag"], FlagType(each["type"]), each["subject"], each["value"]) for each in json.loads(body)
    )


def _place_in_order(change: Change) -> tuple[bool, int, str]:
    is_tool = change.type == FlagType.TOOL
    return (is_tool, 0 if is_tool else _depth(change.subject), change.flag)


@lru_cache(maxsize=10_000)
def _depth(path: str) -> int:
    return len(split(path))


def _leaves(flag: Flag, evaluation: Evaluation) -> bool:
    """Whether the version stays as it is: its own variant, a tool that is on, an error."""
    return evaluation.value is MISSING or (flag.type == FlagType.TOOL and evaluation.variant == ON)


def overlay(body: str, changes: tuple[Change, ...]) -> Effective:
    """The effective configuration of a stored body. The same body and changes always give the same digest."""
    if not changes:
        return Effective(body, digest_of(body))
    configuration, flags, skipped = overlaid(read_body(body), changes)
    new_body = write_body(configuration) if flags else body
    return Effective(new_body, digest_of(new_body), flags, skipped)


def overlaid(configuration: AgentConfiguration, changes: tuple[Change, ...]) -> Overlaid:
    """The configuration with the changes it can take, the flags that changed it, and those that were skipped."""
    document = write_document(configuration)
    try:
        # Nearly always all of them fit: then one reading of the whole configuration is enough.
        return _together(configuration, document, changes)
    except InvalidConfiguration:
        return _one_by_one(configuration, document, changes)


def _together(configuration: AgentConfiguration, document: dict[str, Any], changes: tuple[Change, ...]) -> Overlaid:
    flags: list[str] = []
    skipped: list[Skipped] = []
    is_complete = True
    for change in changes:
        try:
            try:
                changed = changed_by(document, change)
            except UnknownPath:
                if is_complete:
                    raise
                # A part that was set whole may lack fields, which its defaults fill in: the same as one by one. Only
                # a change that is made may fill them in: one that is skipped leaves no trace.
                complete = write_document(read_document(document))
                changed = changed_by(complete, change)
                document = complete
        except UnknownPath as error:
            skipped.append(Skipped(change.flag, str(error)))
            continue
        if _differs(changed, document, change):
            flags.append(change.flag)
            document, is_complete = changed, False
    return (read_document(document) if flags else configuration), tuple(flags), tuple(skipped)


def _differs(changed: dict[str, Any], document: dict[str, Any], change: Change) -> bool:
    """Whether a change made something else. A part that is set whole may lack fields: its defaults are no difference.
    Raises InvalidConfiguration."""
    if same(changed, document):
        return False
    is_part = isinstance(change.value, dict | list)
    return not is_part or write_body(read_document(changed)) != write_body(read_document(document))


def _one_by_one(configuration: AgentConfiguration, document: dict[str, Any], changes: tuple[Change, ...]) -> Overlaid:
    flags: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    for change in changes:
        try:
            configuration, changed, refused = _together(configuration, document, (change,))
        except InvalidConfiguration as error:
            skipped += (Skipped(change.flag, str(error)),)
            continue
        flags, skipped = flags + changed, skipped + refused
        document = write_document(configuration)
    return configuration, flags, skipped


def changed_by(document: dict[str, Any], change: Change) -> dict[str, Any]:
    """A document with one change. Raises UnknownPath where what it acts on is not there."""
    if change.type == FlagType.TOOL and value_at(document, change.path) is MISSING:
        raise UnknownPath(f"There is no tool “{change.subject}”.")
    return apply_edits(document, (change.edit,))
