"""The monthly partitions of calls: made before they are needed, and by whoever finds one missing."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection


def make_partitions(moments: Iterable[datetime]) -> int:
    """Make the partitions of the months of these moments; gives how many months had to be made."""
    months = sorted({(moment.year, moment.month): moment for moment in moments}.values())
    if not months:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitoring_make_partitions(month) FROM unnest(%s::timestamptz[]) AS month", [months])
        return sum(made for (made,) in cursor.fetchall())


def count_in_default() -> int:
    """Calls that no month's partition took; anything but 0 is an alarm."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitoring_count_in_default()")
        return int(cursor.fetchone()[0])
