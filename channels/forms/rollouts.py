"""The form of a rollout: which version, to how many callers in which steps, and how it is judged."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from django.http import QueryDict

from channels.core.local_times import NotAMoment, read_moment
from channels.core.rollout_judging import LEAST_SAMPLE, Counts, Figures, Guardrail, Judging, Rule
from channels.core.rollout_steps import DAY, HOUR, MAX_DURATION, MOST_STEPS, PRESETS, SOAK, Preset, Step
from channels.core.shares import NotAShare, percent, read_percent
from channels.services.errors import RolloutRefused

from .channels import time_zones

Chosen = TypeVar("Chosen", bound=StrEnum)
PLACES = {"max_duration_s": "max_days", "baseline": "version", "soak_s": "soak"}
"""Fields of a plan that the form calls otherwise."""


@dataclass
class StepRow:
    """One step as it was typed (per cent, times, hours), with what is wrong in each of its fields."""

    share: str = ""
    margin: str = ""
    soak: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, name: str, words: str) -> None:
        """Put words beside one of its fields."""
        self.errors.setdefault(name, []).append(words)


class RolloutForm:
    """Reads and shows a rollout that is to be started. Nothing that was typed is lost when it is refused."""

    def __init__(self, data: QueryDict, *, zone: str) -> None:
        self.errors: dict[str, list[str]] = {}
        self.agent = _text(data, "agent")
        self.version = _text(data, "version")
        self.preset = _choice(Preset, _text(data, "preset"), Preset.BALANCED)
        self.rows = _rows_in(data)
        self.max_days = _text(data, "max_days")
        self.rule = _choice(Rule, _text(data, "rule"), Rule.SEQUENTIAL)
        self.figures = _choice(Figures, _text(data, "figures"), Figures.CALLS)
        self.counts = _choice(Counts, _text(data, "counts"), Counts.FAILURES)
        self.guardrails = [each for each in Guardrail if each.value in data.getlist("guardrails")]
        self.least_sample = _text(data, "least_sample") or str(LEAST_SAMPLE)
        self.is_later = _text(data, "when") == "later"
        self.starts_at = _text(data, "starts_at")
        self.time_zone = _text(data, "time_zone") or zone
        self.follow_live = [_clean(address) for address in data.getlist("follow_live")]
        self.reason = _text(data, "reason", 2_000)
        if not self.rows:
            self.use_preset()

    def use_preset(self) -> None:
        """Fill steps and times from the chosen preset; one's own keeps them, and begins with the balanced one."""
        named = PRESETS.get(self.preset)
        if named is None and self.rows:
            return
        named = named or PRESETS[Preset.BALANCED]
        self.rows = [
            StepRow(percent(share), f"{margin:g}", _number(named.soak_s / HOUR)) for share, margin in named.steps
        ]
        self.max_days = _number(named.max_duration_s / DAY)

    def add_row(self) -> None:
        """One more step, for somebody to fill in; from then on the steps are one's own."""
        self.preset = Preset.OWN
        if len(self.rows) < MOST_STEPS:
            last = self.rows[-1] if self.rows else StepRow(soak=_number(SOAK / HOUR))
            self.rows.append(StepRow("", last.margin, last.soak))

    def remove_row(self, index: int) -> None:
        """Without one step."""
        self.preset = Preset.OWN
        if len(self.rows) > 1 and 0 <= index < len(self.rows):
            del self.rows[index]

    def values(self) -> dict[str, Any] | None:
        """What `start_rollout` takes, without agent and actor; None with words at the fields that cannot be read."""
        steps = [self._step(row) for row in self.rows]
        days = self._amount(self.max_days, "max_days", "Write the longest time in days, such as 30.")
        sample = self._whole(self.least_sample)
        version = self._version()
        starts_at = self._moment() if self.is_later else None
        if self.errors or any(row.errors for row in self.rows):
            return None
        return {
            "version": version,
            "steps": [step for step in steps if step is not None],
            "max_duration_s": round((days if days is not None else MAX_DURATION / DAY) * DAY),
            "judging": Judging(self.rule, self.figures, self.counts, tuple(self.guardrails), sample),
            "starts_at": starts_at,
            "follow_live": self.follow_live,
            "reason": self.reason,
        }

    def refuse(self, refusal: RolloutRefused) -> None:
        """Put the words of a refusal beside the fields they belong to."""
        for problem in refusal.problems:
            place, _, rest = problem.path.partition(".")
            number, _, name = rest.partition(".")
            if place == "steps" and number.isdecimal():
                self.rows[int(number)].refuse(PLACES.get(name, name), problem.message)
            else:
                self._refuse(PLACES.get(place, place), problem.message)

    def refuse_whole(self, words: str) -> None:
        """Say what is wrong with the whole."""
        self._refuse("whole", words)

    @property
    def time_zones(self) -> list[tuple[str, str]]:
        """The zones in which the start can be given."""
        return time_zones()

    def _refuse(self, name: str, words: str) -> None:
        self.errors.setdefault(name, []).append(words)

    def _step(self, row: StepRow) -> Step | None:
        share, margin, soak = 0, _float(row.margin), _float(row.soak)
        try:
            share = read_percent(row.share)
        except NotAShare as error:
            row.refuse("share", str(error))
        if margin is None:
            row.refuse("margin", "Write the margin as a number, such as 2 for twice the error rate.")
        if soak is None:
            row.refuse("soak", "Write the time in hours, such as 2 or 0.5.")
        return Step(share, margin, round(soak * HOUR)) if margin is not None and soak is not None else None

    def _amount(self, text: str, name: str, words: str) -> float | None:
        number = _float(text)
        if number is None:
            self._refuse(name, words)
        return number

    def _whole(self, text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) < 10:
            return int(text)
        self._refuse("least_sample", "Write the smallest sample as a whole number of calls, such as 100.")
        return 0

    def _version(self) -> int:
        if not self.agent:
            self._refuse("agent", "Choose an agent.")
        if self.version == "draft":
            return 0
        number = self.version.removeprefix("V").removeprefix("v")
        if number.isascii() and number.isdecimal() and len(number) < 10:
            return int(number)
        self._refuse("version", "Choose the version to roll out.")
        return 0

    def _moment(self) -> datetime | None:
        if self.time_zone not in dict(self.time_zones):
            self._refuse("starts_at", "Choose a time zone from the list.")
            return None
        try:
            return read_moment(self.starts_at, self.time_zone)
        except NotAMoment as error:
            self._refuse("starts_at", str(error))
            return None


def _clean(typed: str) -> str:
    # PostgreSQL refuses NUL, and nothing has one.
    return typed.replace("\x00", "").strip()[:200]


def _text(data: QueryDict, name: str, longest: int = 200) -> str:
    return data.get(name, "").replace("\x00", "").strip()[:longest]


def _choice(kind: type[Chosen], text: str, default: Chosen) -> Chosen:
    return next((each for each in kind if each.value == text), default)


def _rows_in(data: QueryDict) -> list[StepRow]:
    columns = [[_clean(each) for each in data.getlist(name)] for name in ("share", "margin", "soak")]
    count = min(max(map(len, columns)), MOST_STEPS + 1)
    padded = [column + [""] * (count - len(column)) for column in columns]
    return [StepRow(*values) for values in list(zip(*padded, strict=False))[:count]]


def _float(text: str) -> float | None:
    try:
        number = float(text.replace(",", ".", 1))
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e6 else None


def _number(value: float) -> str:
    """Without needless zeros: 0.5, 2."""
    return f"{value:g}"
