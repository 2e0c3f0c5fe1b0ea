"""The flags that count at this moment, read as the runtime reads them."""

from django.db import connection

from channels.runtime.flag_snapshot import FlagSnapshot, snapshot_of
from channels.runtime.notes import FlagNotes
from channels.runtime.statements import ALL_FLAGS


def load_flags() -> FlagSnapshot:
    """All flags that are not archived, each with its newest revision."""
    with connection.cursor() as cursor:
        cursor.execute(ALL_FLAGS)
        return snapshot_of(cursor.fetchall(), FlagNotes())
