"""Rows of files of calls, read as streams: a file may be larger than the memory; only JSON arrays are read whole."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

MOST_JSON = 256 * 1024 * 1024
"""Bytes of a JSON array or document, which is read whole."""
MOST_LINE = 16 * 1024 * 1024
"""Bytes of one record of NDJSON, characters of one cell of CSV."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the file has it: an object, or the text of one. `place` is its line or index, `done` the share read.

    `size` is about how much memory it takes, in bytes.
    """

    place: int
    row: Any
    done: float
    size: int


def lines_of(name: str, stream: BinaryIO, *, skip: int = 0) -> Iterator[Line]:
    """The rows of a file in JSON, NDJSON, CSV or Parquet, by its name, without the first ones.

    Raises ValueError with a sentence when the file as a whole cannot be read on.
    """
    whole = stream.seek(0, io.SEEK_END) or 1
    stream.seek(0)
    lower = name.lower()
    if lower.endswith(".csv"):
        return _csv(name, stream, whole, skip)
    if lower.endswith((".ndjson", ".jsonl")):
        return _ndjson(name, stream, whole, skip)
    if lower.endswith(".parquet"):
        from .parquet import parquet_lines

        return parquet_lines(name, stream, skip)
    return _json(name, stream, whole, skip)


def _csv(name: str, stream: BinaryIO, whole: int, skip: int) -> Iterator[Line]:
    csv.field_size_limit(MOST_LINE)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.DictReader(text)
    try:
        for count, row in enumerate(reader):
            if count >= skip:
                size = sum(len(value) for value in row.values() if isinstance(value, str))
                yield Line(reader.line_num, row, stream.tell() / whole, size)
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
    except csv.Error as error:
        raise ValueError(f"{name} is no CSV: line {reader.line_num}: {error}.") from None
    finally:
        # The stream is the caller's to close.
        if not stream.closed:
            text.detach()


def _ndjson(name: str, stream: BinaryIO, whole: int, skip: int) -> Iterator[Line]:
    at = count = 0
    while line := stream.readline(MOST_LINE + 1):
        at += 1
        if len(line) > MOST_LINE:
            raise ValueError(f"{name}: line {at} is longer than {MOST_LINE // 2**20} MB. Is every record on one line?")
        if at == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        count += 1
        if count > skip:
            yield Line(at, line, stream.tell() / whole, len(line))


def _json(name: str, stream: BinaryIO, whole: int, skip: int) -> Iterator[Line]:
    if whole > MOST_JSON:
        raise ValueError(
            f"{name} is larger than {MOST_JSON // 2**20} MB, and JSON is read whole. "
            "Save it as NDJSON: one record on each line."
        )
    try:
        found = json.loads(stream.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is no JSON: line {error.lineno}, column {error.colno}.") from None
    if isinstance(found, dict):
        found = found["simulations"] if isinstance(found.get("simulations"), list) else [found]
    if not isinstance(found, list):
        raise ValueError(f"{name} holds no list of records.")
    for at, row in enumerate(found):
        if at >= skip:
            yield Line(at, row, (at + 1) / len(found), whole // len(found))
