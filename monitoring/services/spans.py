"""When something was, as a filter says it: the last days of the reader's, since, until."""

from datetime import datetime, time, timedelta
from typing import Any

from django.utils.timezone import get_current_timezone, localdate

from monitoring.core.call_filter import read_day


def within(found: Any, column: str, *, days: str, since: str, until: str) -> Any:
    """A query narrowed to the moments of a column that a filter wants; empty texts want any."""
    if days:
        found = found.filter(**{f"{column}__gte": days_ago(int(days))})
    if since:
        found = found.filter(**{f"{column}__gte": moment_of(since)})
    if until:
        found = found.filter(**{f"{column}__lt": end_of(until)})
    return found


def days_ago(days: int) -> datetime:
    """When the last so many days of the reader's began; 1 is today."""
    return datetime.combine(localdate() - timedelta(days=days - 1), time(), get_current_timezone())


def moment_of(text: str) -> datetime:
    """A day's beginning, or a moment; the reader's where no zone was written."""
    moment = read_day(text)
    assert moment is not None
    return moment if moment.tzinfo else moment.replace(tzinfo=get_current_timezone())


def end_of(text: str) -> datetime:
    """A day means its whole; a moment itself."""
    moment = moment_of(text)
    return moment + timedelta(days=1) if len(text) == 10 else moment
