"""The same aggregate over the same calls by DuckDB and chDB, made for it: what the figures are beside."""

import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.servers import PROJECT
from config.bootstrap import install_beside

BESIDE = PROJECT / ".venv" / "engines"
"""Where `requirements-engines.lock` is installed."""
COLUMNS = "agent_id, started_at, version, is_over, engaged, transferred, is_error, evaluation, sentiment, duration_ms"
QUERY = """
    SELECT version, count(*) AS n_calls,
           sum(CASE WHEN is_over AND engaged THEN 1 ELSE 0 END) AS n_engaged,
           sum(CASE WHEN is_over AND engaged AND NOT transferred AND NOT is_error THEN 1 ELSE 0 END) AS n_automated,
           sum(CASE WHEN is_error THEN 1 ELSE 0 END) AS n_errors,
           sum(CASE WHEN evaluation = 'success' THEN 1 ELSE 0 END) AS n_succeeded,
           sum(sentiment) AS n_mood, sum(duration_ms) AS n_duration_ms, {p50} AS n_p50, {p95} AS n_p95
    FROM calls WHERE agent_id = {agent} GROUP BY version ORDER BY version
"""


def export_calls(path: Path) -> None:
    """All calls as CSV, by COPY."""
    from django.db import connection

    statement = f"COPY (SELECT {COLUMNS} FROM monitoring_call) TO STDOUT (FORMAT csv, HEADER)"
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            file.write(block)


def engines(path: Path, agent: int) -> dict[str, Callable[[], list[Any]]]:
    """A function for each engine that aggregates an agent's calls by version; the calls are loaded before."""
    install_beside("requirements-engines.lock", BESIDE)
    sys.path.append(str(BESIDE))
    return {"DuckDB": _duckdb(path, agent), "chDB": _chdb(path, agent)}


def _duckdb(path: Path, agent: int) -> Callable[[], list[Any]]:
    import duckdb

    database = duckdb.connect(str(path.with_suffix(".duckdb")))
    database.execute("SET threads = 2")
    database.execute(f"CREATE TABLE calls AS SELECT * FROM read_csv('{path}')")
    query = QUERY.format(agent=agent, p50="quantile_disc(duration_ms, 0.5)", p95="quantile_disc(duration_ms, 0.95)")
    return lambda: database.execute(query).fetchall()


def _chdb(path: Path, agent: int) -> Callable[[], list[Any]]:
    from chdb.session import Session

    session = Session(str(path.with_suffix(".chdb")))
    session.query("CREATE DATABASE bench ENGINE = Atomic")
    session.query(
        "CREATE TABLE bench.calls (agent_id UInt32, started_at DateTime64(6), version Int32, is_over Bool, "
        "engaged Bool, transferred Bool, is_error Bool, evaluation LowCardinality(String), "
        "sentiment Int8, duration_ms UInt32) "
        "ENGINE = MergeTree ORDER BY (agent_id, started_at)"
    )
    session.query(
        f"INSERT INTO bench.calls SELECT * FROM file('{path}', CSVWithNames) "
        "SETTINGS date_time_input_format = 'best_effort', input_format_csv_use_best_effort_in_schema_inference = 1"
    )
    query = QUERY.format(
        agent=agent, p50="quantileExact(0.5)(duration_ms)", p95="quantileExact(0.95)(duration_ms)"
    ).replace("FROM calls", "FROM bench.calls")
    return lambda: list(csv.reader(str(session.query(query, "CSV")).splitlines()))


def timed(action: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    """Milliseconds, and what it gave."""
    start = time.perf_counter()
    rows = action()
    return (time.perf_counter() - start) * 1000, rows
