"""Moments as people type them: in a time zone, with the hours that a clock change leaves out or repeats."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Moments near the ends of the calendar cannot be moved between time zones."""


class NotAMoment(ValueError):
    """A text that names no moment; the message is a sentence that says what to do."""


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> tzinfo:
    """The time zone of a name; UTC for one that this machine does not know, so that no call fails for it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def read_moment(text: str, zone: str) -> datetime:
    """`2026-12-24T18:00`, in a zone such as Europe/Paris; a text with an offset of its own keeps it.

    Of an hour that a clock change repeats, the first is meant. Raises NotAMoment for anything else, and for an hour
    that a clock change leaves out.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NotAMoment("Give a date and a time, such as 2026-12-24T18:00.") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise NotAMoment(f"Give a year from {FIRST_YEAR} to {LAST_YEAR}.")
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=ZoneInfo(zone))
    if local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != moment:
        raise NotAMoment(
            f"There is no {moment:%H:%M} on that day in {zone}: the clocks go forward. Choose another time."
        )
    return local
