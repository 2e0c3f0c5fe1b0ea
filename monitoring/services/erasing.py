"""Erases a caller from all calls, for good: what counts stays, what says who it was goes."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import connection, transaction

from agentversions.core.roles import Permission
from agentversions.models import User
from agentversions.services.audit import record
from agentversions.services.errors import FieldRefused, NotAllowed
from channels.core.phone_numbers import read_caller
from channels.services.flag_callers import forget_caller
from monitoring.core.call_filter import read_filter
from monitoring.core.personal import ERASED_FROM_CORRECTIONS, NEVER_AGAIN
from monitoring.core.rollups import CHANNEL, REASON
from monitoring.models import SavedView

from .figures import count_again
from .rows import ERASED, caller_keys

OF_CALLER = "(c.caller_hash = %(hash)s OR (c.direction = 'outbound' AND c.channel = %(caller)s))"
"""Calls from the number, and calls that went out to it."""
FIND = f"SELECT c.sender_id FROM monitoring_call c WHERE {OF_CALLER}"  # noqa: S608 our own condition
LOCK = """
    SELECT sender_id FROM monitoring_callledger WHERE sender_id = ANY(%(ids)s) ORDER BY sender_id FOR UPDATE
"""
# Free words of the platform may hold the number in any spelling: its last digits decide.
CALLS = f"""
    UPDATE monitoring_call c SET
        caller_hash = NULL, caller_secret = NULL, caller_shown = %(shown)s,
        summary = '', analysis = NULL,
        channel = CASE WHEN c.direction = 'outbound' AND c.channel = %(caller)s THEN '' ELSE c.channel END,
        error = CASE WHEN %(digits)s <> '' AND position(%(digits)s IN regexp_replace(c.error, '\\D', '', 'g')) > 0
            THEN '' ELSE c.error END,
        ended_reason =
            CASE WHEN %(digits)s <> '' AND position(%(digits)s IN regexp_replace(c.ended_reason, '\\D', '', 'g')) > 0
            THEN '' ELSE c.ended_reason END
    FROM monitoring_callledger l
    WHERE l.sender_id = ANY(%(ids)s)
        AND (c.agent_id, c.started_at, c.id) = (l.agent_id, l.started_at, l.call_id) AND {OF_CALLER}
    RETURNING c.sender_id
"""  # noqa: S608 our own condition
CONTENTS = """
    DELETE FROM monitoring_callcontent t USING monitoring_callledger l
    WHERE l.sender_id = ANY(%(ids)s) AND (t.agent_id, t.started_at, t.id) = (l.agent_id, l.started_at, l.call_id)
"""
MARK = """
    UPDATE monitoring_callledger l SET erased_at = clock_timestamp(),
        ranks = l.ranks - %(names)s::text[] - CASE WHEN c.channel = '' THEN ARRAY['called'] ELSE ARRAY[]::text[] END
    FROM monitoring_call c
    WHERE l.sender_id = ANY(%(ids)s) AND (c.agent_id, c.started_at, c.id) = (l.agent_id, l.started_at, l.call_id)
"""
NAMING = (CHANNEL, REASON)
"""Figures whose rows are found by what a call was about: the number may stand in their keys."""
EMPTY_FIGURES = """
    WITH channels AS (DELETE FROM monitoring_channelfigures WHERE channel = %(caller)s AND calls = 0)
    DELETE FROM monitoring_reasonfigures
    WHERE calls = 0 AND %(digits)s <> '' AND position(%(digits)s IN regexp_replace(reason, '\\D', '', 'g')) > 0
"""
ENDING = 8
"""Digits by which free words are searched: the same in every national and international spelling."""


@dataclass(frozen=True)
class Erased:
    """How many calls were erased, how many of them had contents, how many corrections lost their values."""

    calls: int
    contents: int
    corrections: int


def count_calls_of(number: str) -> int:
    """How many calls erasing this number would touch. Raises FieldRefused for a withheld number."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({FIND}) found", _arguments(number))  # noqa: S608 our own statement
        return int(cursor.fetchone()[0])


@transaction.atomic
def erase_caller(*, number: str, reason: str, actor: User) -> Erased:
    """Erase a caller's number, summaries, analyses, transcripts, recordings, and who they are on the lists of flags.
    Figures stay, less keys that name it.

    Later records of the same calls bring nothing of it back. Raises NotAllowed, FieldRefused for a withheld number.
    """
    if not actor.allows(Permission.ADMINISTER):
        raise NotAllowed("Only an admin erases a caller. Ask one.")
    arguments = _arguments(number)
    with connection.cursor() as cursor:
        cursor.execute(FIND, arguments)
        arguments["ids"] = [row[0] for row in cursor.fetchall()]
        # In ingestion's order. A record that was under way may have named another caller: looked at again below.
        cursor.execute(LOCK, arguments)
        found = arguments["ids"]
        for rollup in NAMING:
            count_again(rollup, found, sign=-1)
        cursor.execute(CALLS, arguments)
        arguments["ids"] = [row[0] for row in cursor.fetchall()]
        for rollup in NAMING:
            count_again(rollup, found, sign=1)
        cursor.execute(EMPTY_FIGURES, arguments)
        cursor.execute(CONTENTS, arguments)
        contents = cursor.rowcount
        cursor.execute(MARK, {**arguments, "names": sorted(NEVER_AGAIN - {"called"})})
        cursor.execute(
            "SELECT monitoring_blank_corrections(%s, %s)", [arguments["ids"], sorted(ERASED_FROM_CORRECTIONS)]
        )
        erased = Erased(len(arguments["ids"]), contents, cursor.fetchone()[0])
    _forget_in_views(arguments["caller"], arguments["digits"])
    # What rollouts decided stays, under the keyed hash alone: the table takes no change, and the judge counts callers.
    forget_caller(arguments["hash"])
    record(
        action="caller erased",
        subject_kind="caller",
        subject=arguments["hash"].hex(),
        reason=reason,
        after=vars(erased),
        actor=actor,
    )
    return erased


def _forget_in_views(caller: str, digits: str) -> None:
    """Saved views lose the filter that names this caller, however it was typed: its last digits decide."""
    for view in SavedView.objects.select_for_update().filter(query__contains="caller="):
        wanted = read_filter(parse_qs(view.query))
        typed = re.sub(r"\D", "", wanted.caller)
        if wanted.caller == caller or (digits and typed.endswith(digits)):
            view.query = wanted.without("caller", wanted.caller).address
            view.save(update_fields=["query"])


def _arguments(number: str) -> dict[str, Any]:
    caller = read_caller(number, settings.PHONE_REGION).unit
    if caller is None:
        raise FieldRefused("A withheld number belongs to nobody. Name the number that should be erased.", "number")
    digits = re.sub(r"\D", "", caller)[-ENDING:]
    return {
        "caller": caller,
        "hash": caller_keys().hash_of(caller),
        "shown": ERASED["caller_shown"],
        "digits": digits if len(digits) == ENDING else "",
    }
