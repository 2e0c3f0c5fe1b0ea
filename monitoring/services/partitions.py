"""The monthly partitions of calls: made before they are needed, and by whoever finds one missing."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection, transaction

_made: set[tuple[str, int, int]] = set()
"""Database, year and month of partitions that this process knows to be there: they are never dropped."""


def make_partitions(moments: Iterable[datetime]) -> int:
    """Make the partitions of the months of these moments; gives how many months had to be made."""
    database = connection.settings_dict["NAME"]
    wanted = {(database, moment.year, moment.month): moment for moment in (each.astimezone(UTC) for each in moments)}
    months = {month: moment for month, moment in wanted.items() if month not in _made}
    if not months:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT monitoring_make_partitions(month) FROM unnest(%s::timestamptz[]) AS month",
            [sorted(months.values())],
        )
        made = [is_new for (is_new,) in cursor.fetchall()].count(True)
    # Only what is committed stays.
    transaction.on_commit(lambda: _made.update(months))
    return made


def count_in_default() -> int:
    """Calls that no month's partition took; anything but 0 is an alarm."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitoring_count_in_default()")
        return int(cursor.fetchone()[0])
