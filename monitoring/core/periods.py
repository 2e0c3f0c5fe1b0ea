"""Times that figures are asked for: the reader's days, and how they are made of what is kept by hour, day and month."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Grain(StrEnum):
    """How long a point of a chart is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Period:
    """From a moment to before another, cut into slots; each boundary is a moment of the reader's zone."""

    boundaries: tuple[datetime, ...]
    grain: Grain

    @property
    def since(self) -> datetime:
        """The first moment in it."""
        return self.boundaries[0]

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return self.boundaries[-1]

    @property
    def cut_hours(self) -> list[datetime]:
        """The hours (UTC) that a boundary cuts in two: zones with half hours have them at every midnight."""
        hours = {moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) for moment in self.boundaries}
        return sorted(hours - {moment.astimezone(UTC) for moment in self.boundaries})


def period_of(first: date, last: date, zone: ZoneInfo, *, by_hour: bool = False) -> Period:
    """The reader's days from the first to the last, by hour if asked, else by day, week or month, as fits a chart."""
    days = (last - first).days + 1
    if by_hour:
        return Period(tuple(_hours(_midnight(first, zone), _midnight(last + DAY, zone))), Grain.HOUR)
    grain = Grain.DAY if days <= 120 else Grain.WEEK if days <= 800 else Grain.MONTH
    starts = [day for day in _days(first, last) if day == first or _begins(day, grain)]
    return Period(tuple(_midnight(day, zone) for day in [*starts, last + DAY]), grain)


def _begins(day: date, grain: Grain) -> bool:
    return grain == Grain.DAY or (day.weekday() == 0 if grain == Grain.WEEK else day.day == 1)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=at) for at in range((last - first).days + 1))


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    # In UTC, where every hour lasts an hour.
    moment, end = since.astimezone(UTC), until.astimezone(UTC)
    while moment < end:
        yield moment.astimezone(since.tzinfo)
        moment += HOUR
    yield until


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


@dataclass
class Spans:
    """A period made of whole months and days (UTC), and of ranges to be counted in addition or taken away."""

    months: list[date] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    plus: list[tuple[datetime, datetime]] = field(default_factory=list)
    minus: list[tuple[datetime, datetime]] = field(default_factory=list)


def spans_of(since: datetime, until: datetime, *, now: datetime, months: bool = True) -> Spans:
    """Make a period of months and days, so that little is left to be counted call by call.

    What lies ahead of now is nearly empty, so the present month and day are taken whole.
    """
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    spans, day = Spans(), since.date()
    while _start(day) < until:
        month_end = _start(_next_month(day))
        if months and day.day == 1 and since <= _start(day) and (until >= month_end or until >= now):
            spans.months.append(day)
            _take(spans.minus, max(until, _start(day)), month_end)
            day = _next_month(day)
            continue
        start, end = max(since, _start(day)), min(until, _start(day + DAY))
        before, after = start - _start(day), _start(day + DAY) - end
        # The part that is left out is smaller than what is in, or ahead of now.
        if before + (after if end < now else timedelta()) <= DAY / 2:
            spans.days.append(day)
            _take(spans.minus, _start(day), start)
            _take(spans.minus, end, _start(day + DAY))
        else:
            _take(spans.plus, start, end)
        day += DAY
    return spans


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _take(ranges: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> None:
    if start < end:
        ranges.append((start, end))
