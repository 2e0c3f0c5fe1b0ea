"""Takes records whose answer is a promise: they are in the database, or on the disk until the database is back."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.timezone import now

from monitoring.core.records import CallRecord

from .ingest import ingest
from .outages import DATABASE_ERRORS, is_outage, note_outage, was_just_away
from .replaying import replay_soon
from .spool import the_spool, write_kept

logger = logging.getLogger("monitoring.spool")


@dataclass(frozen=True)
class Received:
    """How many calls the records were of; not `is_stored`: they wait in the spool."""

    calls: int
    is_stored: bool


def receive(records: Sequence[CallRecord], *, source: str, is_away: bool = False) -> Received:
    """Keep records for good. `is_away`: the database need not be asked. Raises SpoolRefused: nothing is kept."""
    if not records:
        return Received(0, is_stored=True)
    if not (is_away or was_just_away()):
        try:
            calls = ingest(records, source=source)
        except DATABASE_ERRORS as error:
            if not is_outage(error):
                raise
            note_outage()
            logger.warning("The database is away; call records are kept in the spool: %s", str(error).strip())
        else:
            if the_spool().has_waiting:
                replay_soon()
            return Received(calls, is_stored=True)
    the_spool().append(write_kept(records, source=source, received_at=now()))
    return Received(len({record.id for record in records}), is_stored=False)
