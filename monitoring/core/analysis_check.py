"""Whether a call's analysis gives what the configuration that handled it asks for: said, never corrected or dropped."""

from collections.abc import Mapping, Sequence
from typing import Any

from agentversions.core.configuration import AnalysisField

WORDS = {"text": "a text", "number": "a number", "boolean": "true or false"}


def check_analysis(analysis: Mapping[str, Any], fields: Sequence[AnalysisField]) -> list[str]:
    """What does not fit, a sentence each, in the order of the fields. Without fields nothing was asked for."""
    if not fields:
        return []
    problems = []
    for field in fields:
        value = analysis.get(field.name)
        if value is None:
            if field.required:
                problems.append(f"“{field.name}” is missing.")
        elif not _fits(value, field):
            wanted = f"one of {', '.join(field.choices)}" if field.type == "choice" else WORDS[field.type]
            problems.append(f"“{field.name}” should be {wanted}.")
    known = {field.name for field in fields}
    problems += [f"“{name}” was not asked for." for name in analysis if name not in known]
    return problems


def _fits(value: Any, field: AnalysisField) -> bool:
    match field.type:
        case "text":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "choice":
            return value in field.choices
