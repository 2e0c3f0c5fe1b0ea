"""What flags make of a configuration: an overlay for one call, with a digest of its own; the version never changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.equality import same
from agentversions.core.paths import MISSING, ItemKey, Step, UnknownPath, field_of, join, key_field, split, value_at
from agentversions.core.problems import blocking, find_problems
from agentversions.core.reading import (
    FieldError,
    InvalidConfiguration,
    read_body,
    read_document,
    write_body,
    write_document,
)

from .flag_rules import Evaluation
from .flags import ON, Flag, FlagType, FlagVariant


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
    for change in changes:
        try:
            changed = _changed(document, change)
        except UnknownPath as error:
            skipped.append(Skipped(change.flag, str(error)))
            continue
        if not same(changed, document):
            flags.append(change.flag)
            document = changed
    return (read_document(document) if flags else configuration), tuple(flags), tuple(skipped)


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


def _changed(document: dict[str, Any], change: Change) -> dict[str, Any]:
    """A document with one change. Raises UnknownPath where what it acts on is not there."""
    if change.type == FlagType.TOOL and value_at(document, change.path) is MISSING:
        raise UnknownPath(f"There is no tool “{change.subject}”.")
    return apply_edits(document, (change.edit,))


def overlay_errors(flag: Flag, versions: Mapping[str, AgentConfiguration]) -> tuple[FieldError, ...]:
    """Why a flag cannot act on these versions of its agents (by what they are called, `V7`), in the schema's words.

    A flag must fit each version that has what it acts on; one that no version has is refused.
    """
    if flag.type == FlagType.TOOL:
        return _errors_of_tool(flag, versions)
    return _errors_of_path(flag, versions) if flag.type == FlagType.PATH else ()


def _errors_of_tool(flag: Flag, versions: Mapping[str, AgentConfiguration]) -> tuple[FieldError, ...]:
    known = dict.fromkeys(tool.name for each in versions.values() for tool in each.tools)
    if flag.subject in known:
        return ()
    tools = f"Choose one of {', '.join(f'“{name}”' for name in known)}." if known else "No version has any tool."
    return (FieldError("subject", f"No version has a tool “{flag.subject}”. {tools}"),)


def _errors_of_path(flag: Flag, versions: Mapping[str, AgentConfiguration]) -> tuple[FieldError, ...]:
    try:
        _check_path(flag.subject)
    except UnknownPath as error:
        return (FieldError("subject", str(error)),)
    documents = {name: write_document(each) for name, each in versions.items()}
    fitting = {name: each for name, each in documents.items() if value_at(each, flag.subject) is not MISSING}
    if not fitting:
        return (
            FieldError("subject", f"No version has “{flag.subject}”. Publish one that has it, or correct the path."),
        )
    errors: dict[str, FieldError] = {}
    for index, variant in enumerate(flag.variants):
        for name, document in fitting.items():
            place = f"variants.{index}.value"
            if words := _refusal(flag, variant, document):
                errors.setdefault(place, FieldError(place, f"{name} with “{variant.name}”: {words}"))
    return tuple(errors.values())


def _check_path(path: str) -> None:
    """Whether flags may act on this place. Raises UnknownPath."""
    field = field_of(path)
    steps: tuple[Step, ...] = split(path)
    if isinstance(steps[-1], ItemKey):
        raise UnknownPath(f"“{path}” is a whole item. Act on one of its fields, or switch the tool.")
    extra = field.json_schema_extra
    is_key = len(steps) > 2 and isinstance(steps[-2], ItemKey) and steps[-1] == key_field(join(steps[:-2]))
    is_read_only = isinstance(extra, dict) and bool(extra.get("readOnly"))
    if is_key or is_read_only or "library" in steps:
        raise UnknownPath(f"“{path}” says which thing this is and where it came from: a flag cannot change it.")


def _refusal(flag: Flag, variant: FlagVariant, document: dict[str, Any]) -> str:
    """Why the value does not fit, in the words of the schema or of what blocks publishing; empty when it does."""
    change = Change(flag.key, flag.type, flag.subject, variant.value)
    try:
        changed = read_document(_changed(document, change))
    except (UnknownPath, InvalidConfiguration) as error:
        return str(error)
    known = {problem.message for problem in blocking(find_problems(read_document(document)))}
    new = [each.message for each in blocking(find_problems(changed)) if each.message not in known]
    return " ".join(new)


def conflicts(flags: Iterable[Flag]) -> tuple[str, ...]:
    """Pairs of flags that act on the same place of the same agent, as sentences that say which one wins."""
    acting = sorted((flag for flag in flags if flag.type.is_overlay and flag.subject), key=lambda flag: flag.key)
    return tuple(
        _conflict(first, second)
        for index, first in enumerate(acting)
        for second in acting[index + 1 :]
        if (not first.agent or not second.agent or first.agent == second.agent) and _overlap(first, second)
    )


def _steps(flag: Flag) -> tuple[Step, ...]:
    return split(Change(flag.key, flag.type, flag.subject, None).path)


def _overlap(first: Flag, second: Flag) -> bool:
    left, right = _steps(first), _steps(second)
    shortest = min(len(left), len(right))
    return left[:shortest] == right[:shortest]


def _conflict(first: Flag, second: Flag) -> str:
    place = Change(second.key, second.type, second.subject, None).path
    one, other = _steps(first), _steps(second)
    if FlagType.TOOL in (first.type, second.type):
        words = "where both apply, a tool that is switched off is gone."
    elif len(one) == len(other):
        words = f"where both apply, “{second.key}” wins."
    else:
        words = f"where both apply, “{(first if len(one) > len(other) else second).key}” has the last word on its part."
    return f"“{first.key}” and “{second.key}” both act on {place}: {words}"
