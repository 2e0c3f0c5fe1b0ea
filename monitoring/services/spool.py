"""The spool: records that were acknowledged while the database was away, in files that survive any kill.

A segment is a file of frames that one process appends to; `fsync` comes before the answer. Appending and replaying take
the segment's lock (flock), so nobody removes a file under its writer: who finds it taken begins another.
"""

import contextlib
import fcntl
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from monitoring.core.frames import Frames, frame
from monitoring.core.records import CallRecord

logger = logging.getLogger("monitoring.spool")

SEGMENT, ASIDE = ".calls", ".aside"
MOST_IN_SEGMENT = 1024 * 1024
"""Bytes after which the next record begins another segment: a segment is read whole, and replayed at one go."""


class SpoolRefused(Exception):
    """Nothing more can be kept; the message is a sentence."""


@dataclass(frozen=True)
class Kept:
    """What one request brought: its records as documents, who sent them, and when."""

    documents: list[Any]
    source: str
    received_at: datetime


def write_kept(records: Sequence[CallRecord], *, source: str, received_at: datetime) -> bytes:
    """The payload of a frame. Only what was sent is in it, so that it is read as the same record."""
    documents = [record.model_dump(mode="json", exclude_unset=True) for record in records]
    return write_documents(documents, source=source, received_at=received_at)


def write_documents(documents: list[Any], *, source: str, received_at: datetime) -> bytes:
    """The payload of a frame, of documents."""
    found = {"source": source, "received_at": received_at.isoformat(), "records": documents}
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass")


def read_kept(payload: bytes) -> Kept:
    """What a payload holds. Raises ValueError or KeyError for what this program did not write."""
    found = json.loads(payload)
    return Kept(found["records"], found["source"], datetime.fromisoformat(found["received_at"]))


class Spool:
    """The folder of one installation; every process that takes calls has its own object."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._path = folder
        self._file: int | None = None
        self._process = 0

    def append(self, payload: bytes) -> None:
        """Keep a payload; it is on the disk when this returns. Raises SpoolRefused."""
        data = frame(payload)
        with self._lock:
            if self.size + len(data) > self._limit:
                raise SpoolRefused(
                    "The database cannot be reached, and the spool for calls is full (CALL_SPOOL_MB). Send this again."
                )
            try:
                self._append(data)
            except OSError as error:
                logger.error("The spool %s cannot be written: %s", self.folder, error)
                self._leave()
                raise SpoolRefused(
                    "The database cannot be reached, and the spool for calls cannot be written. Send this again."
                ) from error

    def segments(self) -> list[Path]:
        """What waits, the oldest first."""
        return sorted(self.folder.glob(f"*{SEGMENT}"))

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            return any(entry.name.endswith(SEGMENT) for entry in entries)
        return False

    @property
    def size(self) -> int:
        """Bytes of everything in the folder."""
        return sum(size for _, size in self._sizes())

    def facts(self) -> dict[str, Any]:
        """How much waits, for whoever watches over this installation."""
        sizes = self._sizes()
        return {
            "calls_waiting_bytes": sum(size for name, size in sizes if name.endswith(SEGMENT)),
            "calls_set_aside_bytes": sum(size for name, size in sizes if name.endswith(ASIDE)),
        }

    @contextmanager
    def taken(self, path: Path) -> Iterator[Frames | None]:
        """A segment's frames with its lock; None when its writer or another replay has it, or it is gone."""
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            yield None
            return
        try:
            if not _try_lock(file) or os.fstat(file).st_nlink == 0:
                yield None
                return
            with open(file, "rb", closefd=False) as stream:
                yield Frames(stream.read())
        finally:
            os.close(file)

    def remove(self, path: Path) -> None:
        """Remove a segment whose records are in the database; its lock must be held."""
        path.unlink()
        _sync_folder(self.folder)

    def set_aside(self, path: Path) -> Path:
        """Keep a damaged segment for people; nothing reads it again. Its lock must be held."""
        aside = path.with_suffix(ASIDE)
        path.rename(aside)
        _sync_folder(self.folder)
        return aside

    def keep_aside(self, payload: bytes) -> Path:
        """Keep what cannot be taken in for people."""
        path = self._new_name(ASIDE)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write(file, frame(payload))
        finally:
            os.close(file)
        _sync_folder(self.folder)
        return path

    def close(self) -> None:
        """Let go of the segment that is open; the next append begins another."""
        with self._lock:
            self._leave()

    def _append(self, data: bytes) -> None:
        if self._process != os.getpid():
            # After a fork the parent goes on with its segment.
            self._file, self._process = None, os.getpid()
        # A replay may take a new segment before its writer does, find it empty and remove it: then another is begun.
        while self._file is None or not self._take_again(self._file):
            self._begin()
        try:
            # A write that fails leaves a frame cut short: nothing may follow it in this file.
            _write(self._file, data)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take_again(self, file: int) -> bool:
        """Lock our segment, unless a replay has it or had it, or it is long enough."""
        if not _try_lock(file):
            return False
        if os.fstat(file).st_size < MOST_IN_SEGMENT and self._is_still_there(file):
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
        return False

    def _is_still_there(self, file: int) -> bool:
        """Whether our segment was neither removed nor set aside."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(self._path.stat(), os.fstat(file))
        return False

    def _begin(self) -> None:
        self._leave()
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.folder.parent)
        self._path = self._new_name(SEGMENT)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        _sync_folder(self.folder)

    def _leave(self) -> None:
        if self._file is not None and self._process == os.getpid():
            os.close(self._file)
        self._file = None

    def _new_name(self, suffix: str) -> Path:
        return self.folder / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}{suffix}"

    def _sizes(self) -> list[tuple[str, int]]:
        found = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    found.append((entry.name, entry.stat().st_size))
        return found


def _try_lock(file: int) -> bool:
    """Lock a file unless somebody has it; the lock ends with its process, however that ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    """A new name in a folder survives a power cut only once the folder itself is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_spools: dict[tuple[Path, int], Spool] = {}


def the_spool() -> Spool:
    """The spool of this installation."""
    key = settings.CALL_SPOOL, settings.CALL_SPOOL_LIMIT
    return _spools.setdefault(key, Spool(key[0], limit=key[1]))
