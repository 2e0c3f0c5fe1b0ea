"""Parquet files of calls, read by row groups; apart from the rest, because its library takes long to load."""

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from .record_files import Line

ROWS = 1_000
"""Rows that are in memory at once."""


def parquet_lines(name: str, stream: BinaryIO, skip: int) -> Iterator[Line]:
    """The rows with their indexes. Whole row groups that are skipped are not read."""
    try:
        file = pq.ParquetFile(stream)
        count, at = file.metadata.num_rows, 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at + rows <= skip:
                at += rows
                continue
            for batch in file.iter_batches(batch_size=ROWS, row_groups=[group]):
                size = batch.nbytes // max(batch.num_rows, 1)
                for row in _in_microseconds(batch).to_pylist():
                    if at >= skip:
                        yield Line(at, {key: _plain(value) for key, value in row.items()}, (at + 1) / count, size)
                    at += 1
    except pa.ArrowException as error:
        raise ValueError(f"{name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _in_microseconds(batch: Any) -> Any:
    """Python's times have no nanoseconds."""
    fields = [
        field.with_type(pa.timestamp("us", tz=field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields), safe=False)


def _plain(value: Any) -> Any:
    """A value as JSON has it; what other tools write for "no value" (NaN) is none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _nested(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_nested(each) for each in value]
    return _nested(value)


def _nested(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | timedelta):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return _plain(value) if isinstance(value, float | dict | list) else value
