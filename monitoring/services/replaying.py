"""Takes in what the spool holds; killed halfway it begins again, which changes nothing: records count once."""

import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from monitoring.core.frames import Frames
from monitoring.core.records import BadRecord, CallRecord, read_record

from .ingest import ingest
from .outages import DATABASE_ERRORS, is_outage
from .spool import Spool, read_kept, the_spool, write_documents, write_kept

logger = logging.getLogger("monitoring.spool")

MOST_AT_ONCE = 200
"""Records in one transaction."""

_replaying = threading.Lock()


@dataclass(frozen=True)
class _Waiting:
    """A record of the spool: who sent it, and when."""

    record: CallRecord
    source: str
    received_at: datetime


class _Away(Exception):
    """The database is away again."""


def replay(*, seconds: float = math.inf) -> int:
    """Take in what waits, the oldest first; gives how many records. Stops when the database is away.

    After so many seconds no further file is begun; what is left waits for the next replay.
    """
    spool, taken, until = the_spool(), 0, time.monotonic() + seconds
    try:
        for path in spool.segments():
            if taken and time.monotonic() > until:
                break
            with spool.taken(path) as frames:
                if frames is None:
                    continue
                taken += _take_in(spool, frames)
                if frames.is_damaged:
                    aside = spool.set_aside(path)
                    logger.error("A part of the spool is damaged; what is sound in it was taken in. See %s.", aside)
                else:
                    spool.remove(path)
    except _Away as error:
        logger.warning("The spool waits: the database is away (%s).", error)
    if taken:
        logger.info("%d call records of the spool were taken in.", taken)
    return taken


def replay_soon() -> None:
    """Take in what waits in a thread of its own, unless one does already."""
    if _replaying.acquire(blocking=False):
        threading.Thread(target=_replay_and_let_go, name="spool-replay", daemon=True).start()


def _replay_and_let_go() -> None:
    try:
        replay()
    except Exception:
        logger.exception("The spool could not be taken in.")
    finally:
        connection.close()
        _replaying.release()


def _take_in(spool: Spool, frames: Frames) -> int:
    """Take in the records of a file, many at once; what cannot be is set aside. Raises _Away."""
    taken = 0
    batch: list[_Waiting] = []
    for payload in frames:
        for waiting in _read(spool, payload):
            if batch and (len(batch) >= MOST_AT_ONCE or waiting.source != batch[0].source):
                taken += _ingest_each(spool, batch)
                batch = []
            batch.append(waiting)
    return taken + _ingest_each(spool, batch)


def _read(spool: Spool, payload: bytes) -> Iterator[_Waiting]:
    """The records of one request, as this release reads them."""
    try:
        kept = read_kept(payload)
    except (ValueError, KeyError, TypeError) as error:
        _set_aside(spool, payload, f"It cannot be read: {error!r}.")
        return
    for document in kept.documents:
        try:
            yield _Waiting(read_record(document), kept.source, kept.received_at)
        except BadRecord as error:
            payload = write_documents([document], source=kept.source, received_at=kept.received_at)
            _set_aside(spool, payload, str(error))


def _ingest_each(spool: Spool, batch: list[_Waiting]) -> int:
    """Take in all of these, or when one is wrong each by itself, so that it takes none along. Raises _Away."""
    if not batch or _ingest(batch):
        return len(batch)
    refused = [waiting for waiting in batch if not _ingest([waiting])]
    for waiting in refused:
        payload = write_kept([waiting.record], source=waiting.source, received_at=waiting.received_at)
        _set_aside(spool, payload, "PostgreSQL refused it; the lines above say why.")
    return len(batch) - len(refused)


def _ingest(batch: list[_Waiting]) -> bool:
    """Whether these records were taken in. Raises _Away."""
    came: dict[str, datetime] = {}
    for waiting in batch:
        came[waiting.record.id] = min(waiting.received_at, came.get(waiting.record.id, waiting.received_at))
    try:
        ingest([waiting.record for waiting in batch], source=batch[0].source, received_at=came)
    except Exception as error:
        if isinstance(error, DATABASE_ERRORS) and is_outage(error):
            raise _Away(str(error).strip()) from error
        logger.warning("Records of the spool were refused.", exc_info=error)
        return False
    return True


def _set_aside(spool: Spool, payload: bytes, reason: str) -> None:
    logger.error("Call records of the spool were set aside in %s: %s", spool.keep_aside(payload), reason)
