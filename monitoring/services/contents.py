"""Transcripts and recordings of calls: kept with their call's month, and not at all once that month's time is over."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from agentversions.models.database import database_now
from monitoring.core.merging import CallState
from monitoring.core.retention import kept_since

from .rows import Row

logger = logging.getLogger("monitoring.retention")
NAMES = ("transcript", "recording")
KEEP = """
    INSERT INTO monitoring_callcontent (agent_id, started_at, id, transcript, recording)
    VALUES (%s, %s, %s, %s::jsonb, %s)
    ON CONFLICT (agent_id, started_at, id) DO UPDATE
        SET transcript = excluded.transcript, recording = excluded.recording
"""
MOVE = """
    UPDATE monitoring_callcontent SET agent_id = %s, started_at = %s WHERE (agent_id, started_at, id) = (%s, %s, %s)
"""
DROP = "DELETE FROM monitoring_callcontent WHERE (agent_id, started_at, id) = (%s, %s, %s)"
CAME_LATE = "UPDATE monitoring_callledger SET is_content_late = true WHERE sender_id = ANY(%s)"


@dataclass(frozen=True)
class NewContent:
    """A call's row with what is known of it now and was known before (None: the call is new)."""

    row: Row
    state: CallState
    before: CallState | None = None

    @property
    def is_new(self) -> bool:
        """Whether a transcript or a recording came, or a newer one."""
        known = self.before.ranks if self.before else {}
        return any(self.state.ranks.get(name) != known.get(name) for name in NAMES)


def keep_contents(calls: Iterable[NewContent]) -> None:
    """Keep what was said in these calls, where somebody sent it.

    What comes after its time is not stored: the ledger notes it, for the call's page.
    """
    sent = [call for call in calls if call.is_new]
    if not sent:
        return
    since = oldest_kept()
    late = [call.row.values["sender_id"] for call in sent if call.row.values["started_at"] < since]
    kept = [_values(call) for call in sent if call.row.values["started_at"] >= since]
    with connection.cursor() as cursor:
        if kept:
            cursor.executemany(KEEP, kept)
        if late:
            cursor.execute(CAME_LATE, [late])
            logger.warning("%d calls are too old for their transcripts or recordings to be kept.", len(late))


def move_content(before: Row, after: Row) -> None:
    """A call's key changed: its content goes along, unless its month's time is over."""
    with connection.cursor() as cursor:
        if after.values["started_at"] < oldest_kept():
            cursor.execute(DROP, before.key)
        else:
            cursor.execute(MOVE, [*after.key[:2], *before.key])


def oldest_kept() -> datetime:
    """The start of the oldest month whose contents are kept."""
    return kept_since(database_now(), settings.CALL_CONTENT_DAYS)


def _values(call: NewContent) -> tuple[Any, ...]:
    turns = call.state.fields.get("transcript")
    written = json.dumps([turn.model_dump(exclude_none=True) for turn in turns]) if turns is not None else None
    return (*call.row.key, written, call.state.fields.get("recording") or "")
