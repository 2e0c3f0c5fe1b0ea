"""Proves the figures: counted anew from the calls by PostgreSQL, and compared row by row."""

from django.db import connection

from monitoring.core.rollups import ROLLUPS, Rollup

from .counting import count_statement


def find_differences() -> list[str]:
    """Every row of the figures that does not equal the calls, in words, at most 100 of each table; empty: all exact."""
    return [words for rollup in ROLLUPS for words in _compare(rollup)]


def _compare(rollup: Rollup) -> list[str]:
    keys, names = list(rollup.keys), rollup.sums
    same = " AND ".join(f"kept.{key} = counted.{key}" for key in keys)
    # A row whose sums are all zero (its calls moved elsewhere) equals no row.
    differ = " OR ".join(f"coalesce(kept.{name}, 0) <> coalesce(counted.{name}, 0)" for name in names)
    shown = ", ".join(f"coalesce(kept.{key}, counted.{key})" for key in keys)
    pairs = ", ".join(f"kept.{name}, counted.{name}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {shown}, {pairs} FROM {rollup.table} kept "  # noqa: S608 our own names
            f"FULL JOIN ({count_statement(rollup)}) counted ON {same} WHERE {differ} LIMIT 100"
        )
        rows = cursor.fetchall()
    said = []
    for row in rows:
        place = ", ".join(f"{key} {value}" for key, value in zip(keys, row, strict=False))
        values = row[len(keys) :]
        wrong = [
            f"{name}: {values[2 * at]} kept, {values[2 * at + 1]} counted"
            for at, name in enumerate(names)
            if (values[2 * at] or 0) != (values[2 * at + 1] or 0)
        ]
        said.append(f"{rollup.name} figures of {place}: {'; '.join(wrong)}")
    return said
