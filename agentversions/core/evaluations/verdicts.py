"""What a check looks at and what it finds: what the agent said and did, a verdict with its reason in words."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agentversions.core.configuration import Json

SHOWN = 300
"""Characters of a text that a verdict quotes."""
FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?```\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Called:
    """A tool that the agent called, with its arguments."""

    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Said:
    """What the agent did in a case: its answers in order, and the tools it called."""

    answers: tuple[str, ...]
    calls: tuple[Called, ...] = ()

    def text(self, scope: str) -> str:
        """The last answer, or all of them."""
        return "\n".join(self.answers) if scope == "all" else (self.answers[-1] if self.answers else "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: `pass`, `fail`, or `invalid` where nobody could tell; with a sentence why."""

    outcome: Literal["pass", "fail", "invalid"]
    words: str


class Check(BaseModel, ABC):
    """Base of all expectations: each says itself in words and checks what was said."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: str

    @property
    def is_judged(self) -> bool:
        """Whether only a judge can tell."""
        return False

    @property
    @abstractmethod
    def words(self) -> str:
        """The expectation as a person reads it."""

    @abstractmethod
    def check(self, said: Said) -> Verdict:
        """The verdict on what the agent did; `invalid` where only a judge can tell."""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(left, right) for left, right in zip(one, other, strict=True))
    return bool(one == other)


def is_part(wanted: Any, got: Any) -> bool:
    """Whether every field of `wanted` is in `got` with the same value; lists are compared whole."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return all(key in got and is_part(value, got[key]) for key, value in wanted.items())
    return same(wanted, got)


def verdict(is_met: bool, good: str, bad: str) -> Verdict:
    """Pass with one reason, or fail with the other."""
    return Verdict("pass", good) if is_met else Verdict("fail", bad)


def folded(text: str) -> str:
    """The text without regard to white space and case."""
    return " ".join(text.split()).casefold()


def shortened(text: str) -> str:
    """As much of a text as a verdict quotes."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
