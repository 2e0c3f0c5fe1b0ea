"""How long what was said is kept: whole months (UTC), each until it is over for the policy's days."""

from datetime import UTC, datetime, timedelta

FEWEST_DAYS = 7
"""The database itself refuses to drop anything younger."""


def kept_since(now: datetime, days: int) -> datetime:
    """The start of the oldest month that is still kept."""
    oldest = (now - timedelta(days=days)).astimezone(UTC)
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
