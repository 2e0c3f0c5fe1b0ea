"""Imports of files: streamed, resumed after a kill, and with the sums that DuckDB counts in the files themselves."""

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Q, Sum

from monitoring.core.foreign import read_file
from monitoring.models import Call, CallContent, HourFigures, ImportProgress
from monitoring.services import importing
from monitoring.services.checking import find_differences
from monitoring.services.importing import FileImport, import_file
from tests.factories import make_agent, make_version

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def record(at: int, **fields: Any) -> dict[str, Any]:
    started_at = (AT + timedelta(seconds=at)).isoformat()
    return {"id": f"call-{at}", "started_at": started_at, "duration_s": at % 600, "engaged": at % 3 > 0,
            "transferred": at % 7 == 0, "cost": at / 1000, "currency": "EUR", **fields}  # fmt: skip


def write_lines(path: Path, count: int) -> Path:
    path.write_text("".join(json.dumps(record(at)) + "\n" for at in range(count)), encoding="utf-8")
    return path


def run(*files: Path, **options: Any) -> str:
    said = io.StringIO()
    call_command("import_calls", *map(str, files), stdout=said, stderr=io.StringIO(), **options)
    return said.getvalue()


def sums() -> tuple[Any, ...]:
    found = Call.objects.aggregate(
        Count("id"), Sum("duration_ms"), Sum("cost"), engaged=Count("id", filter=Q(engaged=True))
    )
    return (found["id__count"], found["duration_ms__sum"] // 1000, found["cost__sum"], found["engaged"])


def as_parquet(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


def test_parquet_is_read_by_row_groups_and_sums_to_what_duckdb_counts(tmp_path: Path) -> None:
    path = as_parquet(tmp_path / "calls.parquet", [record(at) for at in range(250)], row_group_size=100)
    for _ in range(2):
        assert "250 records, 0 refused" in run(path)
    with duckdb.connect() as other:
        expected = other.execute(
            "SELECT count(*), sum(duration_s)::BIGINT, sum(cost::DECIMAL(14, 6)), count(*) FILTER (engaged) "
            f"FROM read_parquet('{path}')"
        ).fetchone()
    assert sums() == expected
    assert find_differences() == []


def test_times_numbers_and_nothing_of_parquet_become_what_they_are(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "started_at": datetime(2026, 7, 1, 9), "cost": Decimal("0.1"), "currency": "EUR",
         "latency_ms": float("nan"), "topic": {"name": "Bills", "at": datetime(2026, 7, 1)}, "raw": b"x",
         "transcript": [{"role": "user", "text": "Hi"}]},
    ]  # fmt: skip
    path = as_parquet(tmp_path / "calls.parquet", rows)
    with path.open("rb") as stream:
        (found,) = read_file(path.name, stream, time_zone="Europe/Paris")
    assert found.document == {
        "id": "a",
        "started_at": "2026-07-01T09:00:00+02:00",
        "cost": "0.100000",
        "currency": "EUR",
        "transcript": [{"role": "user", "text": "Hi"}],
        "analysis": {"topic": {"name": "Bills", "at": "2026-07-01T00:00:00"}, "raw": "x"},
    }


@pytest.mark.parametrize("name", ["a.parquet", "a.json", "a.csv"])
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe nothing")
    with pytest.raises(CommandError, match=name):
        run(path)


def test_every_refused_line_is_in_the_file_of_errors(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_bytes(b'{"id": "a"}\n\xff\n{"id": \n' + b'{"id": "b", "duration_s": -1}\n' * 60)
    errors = tmp_path / "errors.txt"
    with pytest.raises(CommandError, match="1 records were imported, 62 refused"):
        run(path, errors=errors)
    lines = errors.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 62
    assert lines[0] == "calls.ndjson:2: It is not UTF-8 text."
    assert lines[1].startswith("calls.ndjson:3: It cannot be read")


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.core.record_files.MOST_LINE", 1_000)
    path = tmp_path / "calls.ndjson"
    path.write_bytes(b'{"id": "a"}\n' + b"x" * 5_000)
    with pytest.raises(CommandError, match="line 2 is longer than"):
        run(path)


@pytest.mark.parametrize("kind", ["ndjson", "csv", "json", "parquet"])
def test_a_stopped_import_goes_on_after_its_last_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    path, rows = tmp_path / f"calls.{kind}", [record(at) for at in range(35)]
    if kind == "csv":
        cells = [",".join(str(value) for value in row.values()) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *cells]), encoding="utf-8")
    elif kind == "parquet":
        as_parquet(path, rows, row_group_size=8)
    else:
        path.write_text(json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows)), encoding="utf-8")
    whole = import_file(file=FileImport(path), is_resumed=False)
    next(whole)
    next(whole)
    whole.close()
    assert (Call.objects.count(), ImportProgress.objects.get().records) == (20, 20)
    said = run(path, resume=True)
    assert "goes on after 20 records" in said
    assert "15 records, 0 refused" in said
    assert Call.objects.count() == 35
    assert "was imported whole" in run(path, resume=True)
    assert find_differences() == []


def test_the_same_file_stated_otherwise_is_another_import(tmp_path: Path) -> None:
    agent = make_agent(slug="clinic")
    make_version(agent)
    path = write_lines(tmp_path / "calls.ndjson", 3)
    run(path)
    assert "0 refused" in run(path, resume=True, agent="clinic", agent_version=1)
    assert Call.objects.filter(agent_id=agent.pk, version=1).count() == 3
    with pytest.raises(CommandError, match="no time zone"):
        run(path, time_zone="Mars/Base")


def test_the_corpus_sums_to_what_duckdb_counts_in_the_files(corpus: Path) -> None:
    agent = make_agent(slug="clinic")
    make_version(agent)
    path = corpus / "calls" / "ckm-telecom-calls.csv"
    run(path, agent="clinic", agent_version=1)
    with duckdb.connect() as other:
        expected = other.execute(
            f"""
            SELECT count(*), count(*) FILTER (sentiment = 'Positive'), count(*) FILTER (sentiment = 'Neutral'),
                count(*) FILTER (sentiment = 'Negative'), count(*) FILTER (satisfied = 'Yes'),
                count(*) FILTER (satisfied = 'No'),
                sum(1000 * date_diff('second', StartTime::TIMESTAMP, EndTime::TIMESTAMP))::BIGINT
            FROM read_csv('{path}', all_varchar = true)
            """
        ).fetchone()
    names = ("calls", "positive", "neutral", "negative", "succeeded", "failed", "duration_ms")
    found = HourFigures.objects.filter(agent_id=agent.pk).aggregate(**{f"all_{name}": Sum(name) for name in names})
    assert tuple(found[f"all_{name}"] for name in names) == expected
    assert find_differences() == []


def test_the_json_files_of_the_corpus_sum_to_what_duckdb_counts(corpus: Path) -> None:
    folder = corpus / "calls"
    path = folder / "ckm-telecom-calls.json"
    run(path)
    with duckdb.connect() as other:
        expected = other.execute(
            f"""
            SELECT count(DISTINCT ConversationId), count(*) FILTER (Content <> '') FROM read_json('{path}')
            """
        ).fetchone()
    assert (Call.objects.count(), CallContent.objects.count() + kept_out()) == expected


def kept_out() -> int:
    """Calls whose transcripts were too old to be kept."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM monitoring_callledger WHERE is_content_late")
        return int(cursor.fetchone()[0])


def test_an_import_names_the_lines_that_it_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_text('{"id": "a"}\n{"id": "b", "duration_s": -5}\n', encoding="utf-8")
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 records were imported, 1 refused"):
        call_command("import_calls", str(path), stdout=said)
    assert "2: “duration_s”" in said.getvalue()
    with pytest.raises(CommandError, match=r"nothing\.json"):
        call_command("import_calls", str(tmp_path / "nothing.json"))
