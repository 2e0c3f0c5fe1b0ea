"""One rule of a flag's form: as it was typed, with what is wrong in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.http import QueryDict

from channels.core.caller_lists import BadLine, read_callers
from channels.core.flag_typing import NotTyped, read_clock
from channels.core.flag_words import DAYS, clock
from channels.core.flags import WHOLE_DAY, Rule, Schedule
from channels.core.phone_numbers import NotANumber, read_number
from channels.core.shares import NotAShare, percent, read_percent
from channels.services.channels import CHAT_KEY
from channels.services.flag_callers import ListedCallers, masked_callers
from channels.services.flag_writing import WantedRule

PLACE = re.compile(r"[0-9]{1,3}")
_PLAIN_NUMBER = re.compile(r"\+[0-9]+")
_BETWEEN = re.compile(r"[\n,;]+")
LONGEST_LIST = 2_000_000
"""Characters of a pasted list: 50,000 callers, with room."""


@dataclass
class RuleRow:
    """A rule as typed. `is_clear` tells whether `callers` holds the whole list or only what is added to it; `kept` is
    the rule that it goes on from, whose callers stay when they are not shown."""

    name: str = ""
    gives: str = ""
    place: str = ""
    is_clear: bool = False
    callers: str = ""
    are_ids: bool = False
    channels: str = ""
    variants: str = ""
    days: tuple[int, ...] = ()
    start: str = ""
    stop: str = ""
    first: str = ""
    last: str = ""
    share: str = "100"
    kept: Rule | None = None
    erased: int = 0
    errors: dict[str, list[str]] = field(default_factory=dict)
    bad_lines: tuple[BadLine, ...] = ()

    @property
    def day_choices(self) -> list[tuple[int, str, bool]]:
        """Each day of the week, its name, whether it is ticked."""
        return [(number, name, number in self.days) for number, name in enumerate(DAYS, 1)]

    @property
    def kept_count(self) -> int:
        """How many callers of a list that is not shown stay."""
        return len(self.kept.callers) if self.kept and not self.is_clear else 0

    @property
    def kept_shown(self) -> tuple[str, ...]:
        """The ends of some of them."""
        return masked_callers(self.kept.callers) if self.kept and not self.is_clear else ()

    @property
    def has_times(self) -> bool:
        """Whether anything of a schedule is typed."""
        return bool(self.days or self.start or self.stop or self.first or self.last)

    @property
    def all_errors(self) -> list[str]:
        """Every sentence about this rule that has no field of its own."""
        return [*self.errors.get("rule", []), *self.errors.get("place", []), *self.errors.get("salt", [])]

    @property
    def is_refused(self) -> bool:
        """Whether anything is wrong in it."""
        return bool(self.errors)

    def note(self, name: str, words: str) -> None:
        """Say at one of its fields what is wrong."""
        self.errors.setdefault(name, []).append(words)

    def wanted(self) -> WantedRule:
        """The rule that is meant; where something cannot be read, words stand beside its field."""
        callers = self._read_callers()
        place = int(self.place) if PLACE.fullmatch(self.place) and self.kept else None
        is_replaced = self.is_clear or place is None
        return WantedRule(
            name=" ".join(self.name.split()),
            gives=self.gives,
            place=place,
            callers=callers if is_replaced else None,
            added=() if is_replaced else callers,
            channels=frozenset(self._read_channels()),
            variants=frozenset(_pieces(self.variants)),
            schedule=self._read_schedule(),
            share=self._read_share(),
        )

    def _read_callers(self) -> tuple[str, ...]:
        listed = read_callers(self.callers, settings.PHONE_REGION, are_numbers=not self.are_ids)
        self.bad_lines = listed.bad
        if listed.bad:
            count = len(listed.bad)
            words = f"{count:,} line{' names' if count == 1 else 's name'} no caller. Nothing was saved; correct them."
            self.note("callers", words)
        return listed.callers

    def _read_channels(self) -> Iterator[str]:
        for text in _pieces(self.channels):
            if CHAT_KEY.fullmatch(text):
                yield text
                continue
            try:
                yield read_number(text, settings.PHONE_REGION)
            except NotANumber as error:
                self.note("channels", str(error))

    def _read_schedule(self) -> Schedule | None:
        if not self.has_times:
            return None
        try:
            start, stop = read_clock(self.start, 0), read_clock(self.stop, WHOLE_DAY)
            # Midnight as the end is the end of the day: a clock in a browser has no 24:00.
            stop = WHOLE_DAY if stop == 0 else stop
            return Schedule(self.days, start, stop, _read_day(self.first), _read_day(self.last))
        except NotTyped as error:
            self.note("schedule", str(error))
            return None

    def _read_share(self) -> int:
        try:
            return read_percent(self.share)
        except NotAShare as error:
            self.note("share", str(error))
            return 0


def row_of(index: int, rule: Rule, listed: ListedCallers | None) -> RuleRow:
    """A stored rule for typing; `listed` is its list in clear for those who may see it."""
    schedule = rule.schedule
    callers = listed.callers if listed else ()
    return RuleRow(
        name=rule.name,
        gives=rule.gives,
        place=str(index),
        is_clear=listed is not None,
        callers="\n".join(callers),
        are_ids=any(not _PLAIN_NUMBER.fullmatch(caller) for caller in callers),
        channels="\n".join(sorted(rule.channels)),
        variants=", ".join(sorted(rule.variants)),
        days=schedule.days if schedule else (),
        start=clock(schedule.start) if schedule and schedule.start else "",
        stop=clock(schedule.stop) if schedule and schedule.stop != WHOLE_DAY else "",
        first=schedule.first.isoformat() if schedule and schedule.first else "",
        last=schedule.last.isoformat() if schedule and schedule.last else "",
        share=percent(rule.share),
        kept=rule,
        erased=listed.erased if listed else 0,
    )


def row_in(data: QueryDict, index: int, before: tuple[Rule, ...]) -> RuleRow:
    """A rule as it was sent; `before` are the rules of the revision that the form began with."""

    def text(name: str, longest: int = 2_000) -> str:
        # PostgreSQL refuses NUL, and nothing that is typed here has one.
        return data.get(f"rule-{index}-{name}", "").replace("\x00", "")[:longest]

    days = tuple(sorted({int(day) for day in data.getlist(f"rule-{index}-day") if day in "1234567" and len(day) == 1}))
    place = text("place", 3)
    kept = before[int(place)] if PLACE.fullmatch(place) and int(place) < len(before) else None
    return RuleRow(
        name=text("name", 200),
        gives=text("gives", 200),
        place=place,
        is_clear=text("clear") == "1",
        callers=text("callers", LONGEST_LIST),
        are_ids=text("ids") == "on",
        channels=text("channels", 100_000),
        variants=text("variants"),
        days=days,
        start=text("start", 20),
        stop=text("stop", 20),
        first=text("first", 20),
        last=text("last", 20),
        share=text("share", 20),
        kept=kept,
    )


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in _BETWEEN.split(text) if piece.strip()]


def _read_day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise NotTyped(f"“{text[:20]}” is no day. Write it like 2026-12-24.") from None
