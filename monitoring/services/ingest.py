"""Takes call records in: each call once, in any order of its records, attributed, counted; all in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from channels.core.caller_keys import masked
from monitoring.core.merging import EMPTY, CallState, Replaced, merge, times_of
from monitoring.core.personal import NEVER_AGAIN
from monitoring.core.records import CallRecord
from monitoring.models import CallCorrection

from .attribution import Attributor
from .canary_calling import call_judge
from .contents import NAMES as CONTENT
from .contents import NewContent, keep_contents, move_content
from .figures import Change, keep_figures
from .meters import count_for_prometheus
from .partitions import make_partitions
from .rows import COLUMNS, ERASED, Row, attributed_of, row_of, state_of

JSON_COLUMNS = frozenset({"analysis", "decision"})
NOT_NOTED = frozenset({*CONTENT, "resolution"})
"""Contents are kept for the policy's time alone; every record of a call may bring the same resolution."""
IDS = "SELECT nextval('monitoring_call_id'), clock_timestamp() FROM generate_series(1, %s)"
NEW = """
    INSERT INTO monitoring_callledger (sender_id, agent_id, started_at, call_id, ranks)
    SELECT * FROM json_to_recordset(%s)
        AS x (sender_id text, agent_id int, started_at timestamptz, call_id bigint, ranks jsonb)
    ON CONFLICT (sender_id) DO NOTHING RETURNING sender_id
"""
LOCK = """
    SELECT sender_id, agent_id, started_at, call_id, ranks, erased_at IS NOT NULL FROM monitoring_callledger
    WHERE sender_id = ANY(%s) ORDER BY sender_id FOR UPDATE
"""
MOVE = "UPDATE monitoring_callledger SET agent_id = %s, started_at = %s, ranks = %s WHERE sender_id = %s"


@dataclass(frozen=True)
class _Known:
    """A call as the database has it."""

    row: Row
    state: CallState
    is_erased: bool


@transaction.atomic
def ingest(records: Iterable[CallRecord], *, source: str, received_at: Mapping[str, datetime] | None = None) -> int:
    """Take in records that were read; gives how many calls they were of. Repeated records change nothing.

    `received_at` says for a call by its sender's id when its first record came, if that was before now.
    """
    by_call: dict[str, list[CallRecord]] = {}
    for record in records:
        by_call.setdefault(record.id, []).append(record)
    if not by_call:
        return 0
    # In order of the ids, so that two batches with the same calls wait for one another and never in a ring.
    merged = {sender_id: _merge(EMPTY, by_call[sender_id]) for sender_id in sorted(by_call)}
    fresh = _rows({sender_id: state for sender_id, (state, _) in merged.items()}, source, received_at or {})
    is_new = _enter(fresh, {sender_id: state for sender_id, (state, _) in merged.items()})
    new = [row for sender_id, row in fresh.items() if sender_id in is_new]
    _copy(new)
    keep_contents(NewContent(fresh[sender_id], merged[sender_id][0]) for sender_id in is_new)
    changes: list[Change] = [(None, row) for row in new]
    replaced = {sender_id: merged[sender_id][1] for sender_id in is_new}
    known = [sender_id for sender_id in merged if sender_id not in is_new]
    if known:
        changes += _correct({sender_id: by_call[sender_id] for sender_id in known}, source, replaced)
    keep_figures(changes)
    call_judge(after for _, after in changes if after is not None)
    count_for_prometheus(changes, source=source)
    _note(replaced)
    return len(by_call)


def _merge(
    state: CallState, records: Iterable[CallRecord], *, is_erased: bool = False
) -> tuple[CallState, list[Replaced]]:
    replaced: list[Replaced] = []
    for record in records:
        state, said = merge(state, record, without=NEVER_AGAIN if is_erased else frozenset())
        replaced += said
    return state, replaced


def _rows(states: dict[str, CallState], source: str, came: Mapping[str, datetime]) -> dict[str, Row]:
    attributor = Attributor(states.values())
    with connection.cursor() as cursor:
        cursor.execute(IDS, [len(states)])
        ids, (now, *_) = zip(*cursor.fetchall(), strict=True)
    rows = {}
    for (sender_id, state), call_id in zip(states.items(), ids, strict=True):
        received_at = came.get(sender_id, now)
        started_at = times_of(state, received_at).started_at
        attributed = attributor.attribute(state, sender_id=sender_id, started_at=started_at)
        rows[sender_id] = row_of(
            state, attributed, sender_id=sender_id, call_id=call_id, source=source, received_at=received_at
        )
    make_partitions(row.values["started_at"] for row in rows.values())
    return rows


def _enter(rows: dict[str, Row], states: dict[str, CallState]) -> set[str]:
    """Enter the calls into the ledger; gives those that were not there."""
    # One document: psycopg escapes the texts of arrays one quotation mark at a time.
    entries = [
        {
            "sender_id": sender_id,
            "agent_id": row.values["agent_id"],
            "started_at": row.values["started_at"].isoformat(),
            "call_id": row.values["id"],
            "ranks": states[sender_id].ranks,
        }
        for sender_id, row in rows.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(NEW, [json.dumps(entries)])
        return {row[0] for row in cursor.fetchall()}


def _copy(rows: Sequence[Row]) -> None:
    if not rows:
        return
    statement = f"COPY monitoring_call ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_stored(name, row.values[name]) for name in COLUMNS])


def _stored(name: str, value: Any) -> Any:
    return Jsonb(value) if name in JSON_COLUMNS and value is not None else value


def _correct(by_call: dict[str, list[CallRecord]], source: str, replaced: dict[str, list[Replaced]]) -> list[Change]:
    """Merge records into calls that are there; fills `replaced`."""
    known = _load(sorted(by_call))
    merged = {
        sender_id: _merge(each.state, by_call[sender_id], is_erased=each.is_erased) for sender_id, each in known.items()
    }
    attributor = Attributor(state for state, _ in merged.values())
    corrected: list[tuple[Row, Row, CallState]] = []
    for sender_id, (state, replacing) in merged.items():
        before = known[sender_id]
        replaced[sender_id] = replacing
        if state.ranks == before.state.ranks:
            continue
        old = before.row.values
        started_at = times_of(state, old["received_at"]).started_at
        # A resolution counts once it came; without one, what the number answered then is looked up again, unless the
        # caller, who decides between variants, was erased.
        said = ("resolution",) if "resolution" in state.ranks else ("resolution", "agent", "version")
        is_same = ("resolution" in state.ranks or before.is_erased) and all(
            state.ranks.get(name) == before.state.ranks.get(name) for name in said
        )
        attributed = (
            attributed_of(old) if is_same else attributor.attribute(state, sender_id=sender_id, started_at=started_at)
        )
        row = row_of(
            state,
            attributed,
            sender_id=sender_id,
            call_id=old["id"],
            source=old["source"],
            received_at=old["received_at"],
        )
        corrected.append((before.row, Row({**row.values, **ERASED}) if before.is_erased else row, state))
    make_partitions(row.values["started_at"] for _, row, _ in corrected)
    for before_row, row, state in corrected:
        _update(before_row, row, state)
    keep_contents(NewContent(row, state, known[row.values["sender_id"]].state) for _, row, state in corrected)
    return [(before_row, row) for before_row, row, _ in corrected]


def _load(sender_ids: Sequence[str]) -> dict[str, _Known]:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(sender_ids)])
        entries = cursor.fetchall()
        agents, moments, ids = (list(column) for column in list(zip(*entries, strict=True))[1:4])
        columns = ", ".join(f"c.{name}" for name in COLUMNS)
        cursor.execute(
            f"""
            SELECT {columns}, t.transcript, t.recording
            FROM unnest(%s::int[], %s::timestamptz[], %s::bigint[]) AS k (agent_id, started_at, id)
            JOIN monitoring_call c USING (agent_id, started_at, id)
            LEFT JOIN monitoring_callcontent t USING (agent_id, started_at, id)
            """,  # noqa: S608 our own column names
            [agents, moments, ids],
        )
        found = {row[COLUMNS.index("sender_id")]: row for row in cursor.fetchall()}
    known = {}
    for sender_id, *_, ranks, is_erased in entries:
        values = {name: _read(name, value) for name, value in zip(COLUMNS, found[sender_id], strict=False)}
        transcript, recording = _read("analysis", found[sender_id][-2]), found[sender_id][-1]
        state = state_of(values, _read("analysis", ranks), transcript=transcript, recording=recording)
        known[sender_id] = _Known(Row(values), state, is_erased)
    return known


def _read(name: str, value: Any) -> Any:
    # Django leaves JSON to its model fields: a cursor of its own gives text.
    return json.loads(value) if isinstance(value, str) and (name in JSON_COLUMNS) else value


def _update(before: Row, after: Row, state: CallState) -> None:
    new = after.values
    names = [name for name in COLUMNS if name != "id"]
    settings = ", ".join(f"{name} = %s" for name in names)
    key = before.key
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE monitoring_call SET {settings} WHERE (agent_id, started_at, id) = (%s, %s, %s)",  # noqa: S608
            [*(_stored(name, new[name]) for name in names), *key],
        )
        if after.key != key:
            move_content(before, after)
        cursor.execute(MOVE, [new["agent_id"], new["started_at"], json.dumps(state.ranks), new["sender_id"]])


def _note(replaced: dict[str, list[Replaced]]) -> None:
    CallCorrection.objects.bulk_create(
        [
            CallCorrection(
                sender_id=sender_id, field=each.field, before=_noted(each, "before"), after=_noted(each, "after")
            )
            for sender_id, said in replaced.items()
            for each in said
            # Contents are kept for the policy's time alone: no correction keeps what of them was replaced.
            if each.field not in NOT_NOTED
        ]
    )


def _noted(replaced: Replaced, side: str) -> Any:
    """What a correction keeps: of callers only what everybody may see."""
    value = getattr(replaced, side)
    if replaced.field == "caller":
        return masked(value) if value else value
    return value if isinstance(value, bool | int | float | dict | list) or value is None else str(value)
