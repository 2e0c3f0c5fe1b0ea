"""Whether a flag fits the versions of its agents, in the schema's words, and which flags act on the same place."""

from collections.abc import Iterable, Mapping
from typing import Any

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.paths import MISSING, ItemKey, Step, UnknownPath, field_of, join, key_field, split, value_at
from agentversions.core.problems import blocking, find_problems
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document, write_document

from .flag_overlay import Change, changed_by
from .flags import Flag, FlagType, FlagVariant


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
        check_path(flag.subject)
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


def check_path(path: str) -> None:
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
        changed = read_document(changed_by(document, change))
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
