"""Imports files of calls in batches; each is stored together with how far the file got."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from monitoring.core.foreign import Found, read_file
from monitoring.core.records import BadRecord, CallRecord, read_record
from monitoring.models import ImportProgress

from .ingest import ingest

BATCH = 2_000
"""Records in one transaction: more would hardly be faster, and hold locks for longer."""
BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class FileImport:
    """A file with what is stated of its calls (`agent`, `version`) and the zone of times that have none."""

    path: Path
    time_zone: str = "UTC"
    stated: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its content and of what is stated: the same file stated otherwise is another import."""
        with self.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        said = json.dumps([content, self.time_zone, dict(self.stated)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True)
class Batch:
    """What was done with the next records: how many there were, the lines that were refused, the share of the file."""

    records: int
    problems: tuple[str, ...]
    done: float


def find_progress(file: FileImport) -> ImportProgress | None:
    """How far an earlier import of this file got; None when there was none."""
    return ImportProgress.objects.filter(digest=file.digest).first()


def import_file(*, file: FileImport, is_resumed: bool) -> Iterator[Batch]:
    """Import a file batch by batch; resumed, it goes on after the last batch that was stored.

    Records and progress are one transaction: a kill at any moment neither loses nor repeats a batch. Raises OSError,
    and ValueError with a sentence, when the file cannot be read on.
    """
    digest = file.digest
    progress, _ = ImportProgress.objects.get_or_create(digest=digest, defaults={"name": file.path.name[:300]})
    if not is_resumed:
        progress.records = progress.refused = 0
    elif progress.is_done:
        return
    with file.path.open("rb") as stream:
        found = read_file(file.path.name, stream, time_zone=file.time_zone, skip=progress.records)
        for batch in _batches(found):
            yield _store(batch, file.stated, progress)
    progress.is_done = True
    _save(progress)


@transaction.atomic
def _store(batch: list[Found], stated: Mapping[str, Any], progress: ImportProgress) -> Batch:
    records: list[CallRecord] = []
    problems: list[str] = []
    for each in batch:
        try:
            if each.document is None:
                raise BadRecord(each.problem)
            records.append(read_record({**each.document, **stated}))
        except BadRecord as error:
            problems.append(f"{each.place}: {error}")
    ingest(records, source="import")
    progress.records += len(batch)
    progress.refused += len(problems)
    progress.is_done = False
    _save(progress)
    return Batch(len(batch), tuple(problems), batch[-1].done)


def _save(progress: ImportProgress) -> None:
    ImportProgress.objects.filter(pk=progress.pk).update(
        records=progress.records, refused=progress.refused, is_done=progress.is_done, updated_at=Now()
    )


def _batches(found: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for each in found:
        batch.append(each)
        size += each.size
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
