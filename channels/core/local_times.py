"""Moments as people type them: in a time zone, with the hours that a clock change leaves out or repeats."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Moments near the ends of the calendar cannot be moved between time zones."""


class NotAMoment(ValueError):
    """A text that names no moment; the message is a sentence that says what to do."""


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
