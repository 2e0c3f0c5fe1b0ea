"""Says what an entry of the audit log changed: field by field, from the small JSON values before and after."""

from dataclasses import dataclass
from typing import Any

from agentversions.core.digest import DIGEST_PATTERN
from agentversions.core.wording import say_value
from channels.core.shares import percent

MOST_FIELDS = 12
LONGEST_VALUE = 160
MISSING: Any = object()


@dataclass(frozen=True)
class FieldChange:
    """One field in words. Without `before` there was nothing, without `after` nothing is left; `is_same` stayed."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_same(self) -> bool:
        """Whether both sides say the same: it is there to be known, not because it changed."""
        return self.before == self.after


def say_difference(before: Any, after: Any) -> list[FieldChange]:
    """The fields of both sides in their order, nested ones by their path (`variants › a`); those that are equal are
    left out where anything differs. A value that is no object has the empty name."""
    old, new = _flat(before), _flat(after)
    both = [(name, old.get(name, MISSING), new.get(name, MISSING)) for name in {**old, **new}]
    differing = [each for each in both if each[1] != each[2] or type(each[1]) is not type(each[2])]
    return [FieldChange(name, _say(name, one, other), _say(name, other, one)) for name, one, other in differing or both]


def _flat(value: Any, path: str = "", depth: int = 0) -> dict[str, Any]:
    if value is None and not path:
        return {}
    if not isinstance(value, dict) or not value or depth > 3:
        return {path: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        words = str(name).replace("_", " ")
        found |= _flat(inner, f"{path} › {words}" if path else words, depth + 1)
    return found


def _say(name: str, value: Any, beside: Any) -> str | None:
    """A value in words; nothing, where a null stands beside something."""
    if value is MISSING or (value is None and beside is not None and beside is not MISSING):
        return None
    if name in {"version", "baseline"} and _is_number(value) and value > 0:
        return f"V{value}"
    if name == "share" and _is_number(value):
        return f"{percent(value)} %"
    if isinstance(value, str) and DIGEST_PATTERN.fullmatch(value):
        return value[:8]
    words = say_value(value)
    return words if len(words) <= LONGEST_VALUE else f"{words[:LONGEST_VALUE]}…"


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
