"""What calls are looked for: read from an address and written back to it, so that a view can be sent to others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

OUTCOMES = {
    "automated": "Automated",
    "transferred": "Transferred",
    "error": "Error",
    "unengaged": "Not engaged",
    "success": "Success",
    "fail": "Failure",
    "under-way": "Under way",
}
SENTIMENTS = {"positive": 1, "neutral": 0, "negative": -1, "unknown": None}
ARMS = {"canary": "Canary", "stable": "Live version"}
DRAFT, UNKNOWN = "draft", "unknown"
MOST_VERSIONS = 30
MOST_DAYS = 3_660


@dataclass(frozen=True)
class CallFilter:
    """Everything is a text as it stands in the address; empty means any. `problems` are (name, sentence).

    `days` are the last so many of the reader's, today with them: a view that is saved with them stays of today.
    """

    agent: str = ""
    versions: tuple[str, ...] = ()
    variant: str = ""
    channel: str = ""
    outcome: str = ""
    sentiment: str = ""
    ended: str = ""
    shortest: str = ""
    longest: str = ""
    days: str = ""
    since: str = ""
    until: str = ""
    caller: str = ""
    id: str = ""
    rollout: str = ""
    arm: str = ""
    tests: str = ""
    problems: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def address(self) -> str:
        """The query of this filter's address, without what is empty."""
        return urlencode(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values as they stand in the address."""
        found = [("version", version) for version in self.versions]
        return [*found, *((name, getattr(self, name)) for name in SINGLE if getattr(self, name))]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.pairs)

    @property
    def has_more(self) -> bool:
        """Whether it has a condition beyond agent, versions, days, outcome and sentiment."""
        return any(name not in {"agent", "version", "days", "outcome", "sentiment"} for name, _ in self.pairs)

    def without(self, name: str, value: str = "") -> "CallFilter":
        """The same without one condition (or one of its versions)."""
        if name == "version":
            return replace(self, versions=tuple(each for each in self.versions if each != value))
        cleared: dict[str, Any] = {name: ""} | ({"arm": ""} if name == "rollout" else {})
        return replace(self, **cleared)

    @property
    def version_numbers(self) -> list[int | None]:
        """The versions as they are stored: 0 is the draft, None what nobody knows."""
        words: dict[str, int | None] = {DRAFT: 0, UNKNOWN: None}
        return [words[each] if each in words else int(each.lstrip("Vv")) for each in self.versions]


SINGLE = (
    *("agent", "variant", "channel", "outcome", "sentiment", "ended"),
    *("shortest", "longest", "days", "since", "until", "caller", "id", "rollout", "arm", "tests"),
)


def read_filter(query: Mapping[str, Sequence[str]]) -> CallFilter:
    """The filter of an address. What cannot be read stays in the filter, with a sentence among its problems."""
    single: dict[str, Any] = {name: text_of(query.get(name, ())) for name in SINGLE}
    versions = tuple(dict.fromkeys(text_of([value]) for value in query.get("version", ()) if text_of([value])))
    found = CallFilter(versions=versions, **single)
    return replace(found, problems=tuple(_problems(found)))


def text_of(values: Sequence[str]) -> str:
    """What stands in an address under one name: the last, without what PostgreSQL cannot store, 200 characters."""
    return values[-1].replace("\x00", "").strip()[:200] if values else ""


def _problems(wanted: CallFilter) -> list[tuple[str, str]]:
    problems = [
        ("version", f"“{version}” is no version. Write V7, draft or unknown.")
        for version in wanted.versions
        if version not in {DRAFT, UNKNOWN} and not is_version_number(version)
    ]
    if len(wanted.versions) > MOST_VERSIONS:
        problems.append(("version", f"Choose at most {MOST_VERSIONS} versions at once."))
    if any(version != UNKNOWN for version in wanted.versions) and not wanted.agent:
        problems.append(("version", "Versions are numbered for each agent. Choose the agent as well."))
    if wanted.rollout and not (is_number(wanted.rollout) and int(wanted.rollout)):
        problems.append(("rollout", f"“{wanted.rollout}” is no rollout. Its number stands in the address of its page."))
    if wanted.arm and not wanted.rollout:
        problems.append(("arm", "An arm is one of a rollout's. Choose the rollout as well."))
    for name, known in (("outcome", OUTCOMES), ("sentiment", SENTIMENTS), ("arm", ARMS)):
        if getattr(wanted, name) and getattr(wanted, name) not in known:
            problems.append((name, f"“{getattr(wanted, name)}” is no {name}. Choose {', '.join(known)}."))
    for name in ("shortest", "longest"):
        text = getattr(wanted, name)
        if text and not (text.isdecimal() and text.isascii() and len(text) < 7):
            problems.append((name, f"“{text}” is no number of seconds."))
    problems += time_problems(wanted.days, wanted.since, wanted.until)
    if wanted.tests not in {"", "too", "only"}:
        problems.append(("tests", "Test calls are left out, or “too”, or “only”."))
    return problems


def time_problems(days: str, since: str, until: str) -> list[tuple[str, str]]:
    """What cannot be read of when something was: (name, sentence)."""
    problems = []
    if days and not (is_number(days) and 1 <= int(days) <= MOST_DAYS):
        problems.append(("days", f"“{days}” is no number of days from 1 to {MOST_DAYS:,}."))
    for name, text in (("since", since), ("until", until)):
        if text and read_day(text) is None:
            problems.append((name, f"“{text}” is no day or moment. Write 2026-11-20."))
    return problems


def is_version_number(version: str) -> bool:
    """Whether a version of an address is a number: `7`, `V7`."""
    return is_number(version.lstrip("Vv"))


def is_number(number: str) -> bool:
    """Whether a text is a whole number that can be a version's or a day's."""
    return number.isdecimal() and number.isascii() and len(number) < 9


def read_day(text: str) -> datetime | None:
    """A day or a moment, without a zone where none was written."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if 2000 <= moment.year <= 2199 else None
