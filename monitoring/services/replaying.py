"""Takes in what the spool holds; killed halfway it begins again, which changes nothing: records count once."""

import logging
import math
import threading
import time
from typing import Any

from django.db import connection

from monitoring.core.records import BadRecord, CallRecord, read_record

from .ingest import ingest
from .outages import DATABASE_ERRORS, is_outage
from .spool import Kept, Spool, read_kept, the_spool, write_documents

logger = logging.getLogger("monitoring.spool")

_replaying = threading.Lock()


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
                for payload in frames:
                    taken += _take_in(spool, payload)
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


def _take_in(spool: Spool, payload: bytes) -> int:
    """Take in what one request brought; what cannot be is set aside. Raises _Away."""
    try:
        kept = read_kept(payload)
    except (ValueError, KeyError, TypeError) as error:
        _set_aside(spool, payload, f"It cannot be read: {error!r}.")
        return 0
    records: list[CallRecord] = []
    wrong: list[Any] = []
    reasons: list[str] = []
    for document in kept.documents:
        try:
            records.append(read_record(document))
        except BadRecord as error:
            wrong.append(document)
            reasons.append(str(error))
    taken = len(records)
    if not _ingest(records, kept):
        # One of them is wrong: each by itself, so that it takes none along.
        for record in records:
            if not _ingest([record], kept):
                taken -= 1
                wrong.append(record.model_dump(mode="json", exclude_unset=True))
                reasons.append("PostgreSQL refused it; the lines above say why.")
    if wrong:
        _set_aside(spool, write_documents(wrong, source=kept.source, received_at=kept.received_at), reasons[0])
    return taken


def _ingest(records: list[CallRecord], kept: Kept) -> bool:
    """Whether these records were taken in. Raises _Away."""
    try:
        ingest(records, source=kept.source, received_at=kept.received_at)
    except Exception as error:
        if isinstance(error, DATABASE_ERRORS) and is_outage(error):
            raise _Away(str(error).strip()) from error
        logger.warning("Records of the spool were refused.", exc_info=error)
        return False
    return True


def _set_aside(spool: Spool, payload: bytes, reason: str) -> None:
    logger.error("Call records of the spool were set aside in %s: %s", spool.keep_aside(payload), reason)
