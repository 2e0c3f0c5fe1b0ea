"""Keeps the figures equal to the calls: what a call added is taken back before its correction is added."""

import json
from collections.abc import Sequence

from django.db import connection

from monitoring.core.rollups import ROLLUPS, Rollup, add_up

from .counting import count_statement
from .rows import Row

Change = tuple[Row | None, Row | None]
"""A call before (None: new) and after."""


def _statement(rollup: Rollup) -> str:
    """Adds rows, given as a list of JSON objects, which PostgreSQL reads faster than psycopg writes arrays."""
    columns = ", ".join([*rollup.keys, *rollup.sums])
    types = ", ".join(
        f"{name} {kind}" for name, kind in [*rollup.keys.items(), *((name, "bigint") for name in rollup.sums)]
    )
    given = ", ".join([*rollup.keys, *(f"coalesce({name}, 0)" for name in rollup.sums)])
    return (
        f"INSERT INTO {rollup.table} ({columns}) "  # noqa: S608 our own column names
        f"SELECT {given} FROM json_to_recordset(%s::json) AS given ({types}) "
        f"{_on_conflict(rollup)}"
    )


def _on_conflict(rollup: Rollup) -> str:
    sums = ", ".join(f"{name} = {rollup.table}.{name} + excluded.{name}" for name in rollup.sums)
    return f"ON CONFLICT ({', '.join(rollup.keys)}) DO UPDATE SET {sums}"


_STATEMENTS = {rollup.name: _statement(rollup) for rollup in ROLLUPS}


def keep_figures(changes: Sequence[Change]) -> None:
    """Add the differences of these calls to every figure, in the caller's transaction."""
    outcomes = [
        (before.outcome if before is not None else None, after.outcome if after is not None else None)
        for before, after in changes
    ]
    statements, documents = [], []
    for rollup in ROLLUPS:
        # In order of the keys: two writers that touch the same rows wait for one another and never in a ring.
        rows = [
            dict(zip(rollup.keys, key, strict=True))
            | {name: value for name, value in zip(rollup.sums, sums, strict=True) if value}
            for key, sums in sorted(add_up(rollup, outcomes).items())
        ]
        if rows:
            statements.append(_STATEMENTS[rollup.name])
            documents.append(json.dumps(rows, default=str))
    if statements:
        with connection.cursor() as cursor:
            # One after the other, in one journey to the database.
            cursor.execute("; ".join(statements), documents)


OF_CALLS = """(agent_id, started_at, id) IN (
    SELECT agent_id, started_at, call_id FROM monitoring_callledger WHERE sender_id = ANY(%(ids)s))"""


def count_again(rollup: Rollup, sender_ids: Sequence[str], *, sign: int) -> None:
    """Add what these calls count for as they stand now (sign 1), or take it back (-1), in the caller's transaction."""
    given = ", ".join([*rollup.keys, *(f"%(sign)s * {name}" for name in rollup.sums)])
    columns = ", ".join([*rollup.keys, *rollup.sums])
    counted = count_statement(rollup, among=OF_CALLS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {rollup.table} ({columns}) SELECT {given} FROM ({counted}) counted "  # noqa: S608 our own names
            f"{_on_conflict(rollup)}",
            {"ids": list(sender_ids), "sign": sign},
        )
