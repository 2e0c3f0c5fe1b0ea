"""What a case expects of the agent, each kind with its own check; every verdict carries its reason in words."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import re2
from pydantic import Field, field_validator

from agentversions.core.configuration import Json

from .verdicts import FENCE, Check, Said, Verdict, folded, is_part, same, shortened, verdict

STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
RE2_OPTIONS = re2.Options()
RE2_OPTIONS.log_errors = False
RE2_OPTIONS.max_mem = 8 << 20

LongText = Annotated[str, Field(min_length=1, max_length=20_000)]


class Golden(Check):
    """The answer that a person wrote down: the same words (white space and case aside), or the same meaning."""

    kind: Literal["golden"] = "golden"
    text: LongText
    match: Literal["exact", "meaning"] = "exact"

    @property
    def is_judged(self) -> bool:
        """The same meaning is for a judge."""
        return self.match == "meaning"

    @property
    def words(self) -> str:
        """The golden answer."""
        return f"Answers {'in the same sense as' if self.is_judged else 'exactly'} “{shortened(self.text)}”"

    @property
    def criterion(self) -> str:
        """The question for the judge."""
        return (
            f"The last answer means the same as this golden answer, and adds nothing that contradicts it: {self.text}"
        )

    def check(self, said: Said) -> Verdict:
        """Equal after folding white space and case."""
        got = said.text("last")
        return verdict(folded(got) == folded(self.text), "It is the golden answer.", f"It said “{shortened(got)}”.")


class Contains(Check):
    """A text that must be in the answer."""

    kind: Literal["contains"] = "contains"
    text: LongText
    scope: Literal["last", "all"] = "last"

    @property
    def words(self) -> str:
        """The text that must be there."""
        return f"Contains “{shortened(self.text)}”"

    def check(self, said: Said) -> Verdict:
        """Somewhere in it, white space and case aside."""
        got = said.text(self.scope)
        return verdict(folded(self.text) in folded(got), "It is there.", f"“{shortened(got)}” does not contain it.")


class NotContains(Check):
    """A text that must not be in the answer."""

    kind: Literal["not_contains"] = "not_contains"
    text: LongText
    scope: Literal["last", "all"] = "last"

    @property
    def words(self) -> str:
        """The text that must not be there."""
        return f"Does not contain “{shortened(self.text)}”"

    def check(self, said: Said) -> Verdict:
        """Nowhere in it, white space and case aside."""
        got = said.text(self.scope)
        return verdict(folded(self.text) not in folded(got), "It is not there.", f"“{shortened(got)}” contains it.")


class Regex(Check):
    """A regular expression (RE2) that must be found in the answer."""

    kind: Literal["regex"] = "regex"
    pattern: Annotated[str, Field(min_length=1, max_length=2_000)]
    scope: Literal["last", "all"] = "last"

    @field_validator("pattern")
    @classmethod
    def is_re2(cls, pattern: str) -> str:
        """What RE2 does not know (back references, look-around) is refused when the case is written."""
        try:
            re2.compile(pattern, RE2_OPTIONS)
        except re2.error as error:
            said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
            raise ValueError(f"The regular expression is not RE2: {said}.") from error
        return pattern

    @property
    def words(self) -> str:
        """The pattern."""
        return f"Matches /{shortened(self.pattern)}/"

    def check(self, said: Said) -> Verdict:
        """Found anywhere."""
        got = said.text(self.scope)
        found = re2.compile(self.pattern, RE2_OPTIONS).search(got) is not None
        return verdict(found, "It matches.", f"“{shortened(got)}” does not match.")


class JsonEquals(Check):
    """A field of an answer that is JSON: `order.items[0].id`; an empty path is the whole answer."""

    kind: Literal["json_equals"] = "json_equals"
    path: Annotated[str, Field(max_length=500)] = ""
    equals: Any = None

    @property
    def words(self) -> str:
        """The field and its value."""
        return f"JSON {self.path or 'answer'} equals {shortened(json.dumps(self.equals, ensure_ascii=False))}"

    def check(self, said: Said) -> Verdict:
        """The same JSON value (1 is 1.0, true is not 1); a fence around the JSON does not count."""
        got = said.text("last")
        try:
            value = json.loads(fenced[1] if (fenced := FENCE.match(got)) else got)
        except (ValueError, RecursionError):
            return Verdict("fail", f"The answer is not JSON: “{shortened(got)}”.")
        for step in STEP.finditer(self.path):
            try:
                value = value[int(step[2])] if step[2] is not None else value[step[1]]
            except (KeyError, IndexError, TypeError):
                return Verdict("fail", f"The answer has no field “{self.path}”.")
        return verdict(
            same(value, self.equals), "It is equal.", f"It is {shortened(json.dumps(value, ensure_ascii=False))}."
        )


class ToolCalled(Check):
    """A tool that the agent must call with these arguments (`is_exact`: with no others)."""

    kind: Literal["tool_called"] = "tool_called"
    tool: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: Json | None = None
    is_exact: bool = False

    @property
    def words(self) -> str:
        """The call."""
        return f"Calls {self.tool}{shortened(json.dumps(self.arguments, ensure_ascii=False)) if self.arguments else ''}"

    def check(self, said: Said) -> Verdict:
        """Some call has this name and these arguments."""
        calls = [call for call in said.calls if call.name == self.tool]
        if any(self._fits(call.arguments) for call in calls):
            return Verdict("pass", "It was called.")
        if not calls:
            others = ", ".join(dict.fromkeys(call.name for call in said.calls))
            return Verdict("fail", f"It was not called{f'; called were {others}' if others else ''}.")
        told = json.dumps(calls[-1].arguments, ensure_ascii=False)
        return Verdict("fail", f"It was called with other arguments: {shortened(told)}.")

    def _fits(self, arguments: Json) -> bool:
        if self.arguments is None:
            return True
        return same(arguments, self.arguments) if self.is_exact else is_part(self.arguments, arguments)


class ToolNotCalled(Check):
    """A tool that the agent must not call."""

    kind: Literal["tool_not_called"] = "tool_not_called"
    tool: Annotated[str, Field(min_length=1, max_length=200)]

    @property
    def words(self) -> str:
        """The call that must not happen."""
        return f"Does not call {self.tool}"

    def check(self, said: Said) -> Verdict:
        """No call has this name."""
        was = any(call.name == self.tool for call in said.calls)
        return verdict(not was, "It was not called.", "It was called.")


class Judged(Check):
    """A criterion in words, which a language model judges."""

    kind: Literal["judged"] = "judged"
    criterion: LongText

    @property
    def is_judged(self) -> bool:
        """Always."""
        return True

    @property
    def words(self) -> str:
        """The criterion."""
        return shortened(self.criterion)

    def check(self, said: Said) -> Verdict:
        """Nobody can tell here."""
        return Verdict("invalid", "Only a judge can tell.")


Expectation = Annotated[
    Golden | Contains | NotContains | Regex | JsonEquals | ToolCalled | ToolNotCalled | Judged,
    Field(discriminator="kind"),
]
KINDS: dict[str, str] = {
    "contains": "Contains",
    "not_contains": "Does not contain",
    "golden": "Golden answer",
    "regex": "Regular expression",
    "json_equals": "JSON field equals",
    "tool_called": "Tool is called",
    "tool_not_called": "Tool is not called",
    "judged": "Judged criterion",
}
"""The kinds with their names for people."""


def check_all(expectations: Sequence[Check], said: Said) -> tuple[Verdict | None, ...]:
    """The verdict on each expectation, None where a judge has to tell."""
    return tuple(None if one.is_judged else one.check(said) for one in expectations)
