"""Who was routed to which arm of a rollout: lines in local files first, shipped to PostgreSQL by `routed_shipper`.

A worker appends to a segment of its own and holds the file's lock (flock) as long as it writes there; whoever gets the
lock may ship and remove the segment. The lock ends with its process, however that ends. There is no `fsync`: a line
survives a killed worker, and the split survives a lost line.
"""

import contextlib
import fcntl
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any, NamedTuple

logger = logging.getLogger("channels.runtime")

SEGMENT, ASIDE = ".routed", ".aside"
MOST_IN_SEGMENT = 1024 * 1024
"""Bytes (about 7,000 lines) after which the next line begins another segment: a segment is shipped at one go."""
MOST_WAITING = 200
"""Segments that wait; with more, workers fill theirs instead of beginning another every second."""
LOOK_AGAIN_AFTER = 1.0
"""Seconds during which a full folder is taken to be full without a look."""
SAY_EVERY = 60.0


class Line(NamedTuple):
    """One decision: rollout (its id), call, the caller's keyed hash in hex (None: withheld), arm, share and bucket (of
    100,000), channel (its address), and the moment in seconds since 1970."""

    rollout: int
    call_id: str
    caller_hash: str | None
    arm: str
    share: int
    bucket: int
    channel: str
    at: float


def read_line(text: bytes) -> Line | None:
    """The line; None when it is torn, or PostgreSQL could not keep it (NUL, half a character)."""
    try:
        line = Line(*json.loads(text))
        f"{line.call_id}{line.channel}".encode()
        bytes.fromhex(line.caller_hash or "")
        numbers = (line.rollout, line.share, line.bucket, line.at)
    except (ValueError, TypeError):
        return None
    is_sound = all(isinstance(each, int | float) for each in numbers) and isinstance(line.call_id, str)
    return line if is_sound and "\0" not in line.call_id else None


class _Full(OSError):
    """The folder holds as much as it may."""


class RoutedSpool:
    """The folder of one instance; every worker has its own object. A call is answered whatever happens here."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.folder = folder
        self.lost = 0
        self._limit = limit
        self._lock = threading.Lock()
        self._file: int | None = None
        self._written = 0
        self._room = 0
        self._refused_until = 0.0
        self._said_at = float("-inf")

    def note(
        self,
        rollout: int,
        call_id: str,
        caller_hash: str | None,
        arm: str,
        share: int,
        bucket: int,
        channel: str,
        at: float,
    ) -> None:
        """Keep one decision (see `Line`). Never raises: what cannot be kept is counted in `lost` and logged."""
        caller = f'"{caller_hash}"' if caller_hash else "null"
        # The JSON of a list, in a tenth of the time that `json.dumps` takes.
        names = f'{quoted(call_id)},{caller},"{arm}",{share},{bucket},{quoted(channel)}'
        data = f"[{rollout},{names},{at!r}]\n".encode()
        with self._lock:
            try:
                self._append(data)
            except OSError as error:
                self._lose(error)

    def turn(self) -> None:
        """Let go of the segment, so that it is shipped; the next line begins another."""
        with self._lock:
            if self._written and len(self.segments()) < MOST_WAITING:
                self._leave()

    def close(self) -> None:
        """Let go of the segment whatever waits."""
        with self._lock:
            self._leave()

    def segments(self) -> list[Path]:
        """What waits, the oldest first; also what is still written to."""
        return sorted(self.folder.glob(f"*{SEGMENT}"))

    @property
    def size(self) -> int:
        """Bytes of everything in the folder."""
        total = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat().st_size
        return total

    def facts(self) -> dict[str, Any]:
        """For whoever watches over this instance."""
        return {"routed_waiting_bytes": self.size, "routed_lost": self.lost}

    @contextmanager
    def taken(self, path: Path) -> Iterator[list[bytes] | None]:
        """The lines of a segment with its lock held; None while its writer has it, and when it is gone."""
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            yield None
            return
        try:
            yield path.read_bytes().splitlines() if _holds(file) else None
        finally:
            os.close(file)

    @staticmethod
    def set_aside(path: Path) -> Path:
        """Keep a segment that PostgreSQL refuses for people; nothing reads it again."""
        return path.rename(path.with_suffix(ASIDE))

    def _append(self, data: bytes) -> None:
        if time.monotonic() < self._refused_until:
            raise _Full("still no room")
        if self._file is None or self._written + len(data) > self._room:
            self._leave()
            self._begin()
        assert self._file is not None
        written = os.write(self._file, data)
        self._written += written
        if written < len(data):
            # A torn line: nothing may follow it in this file.
            self._leave()
            raise OSError("the disk took part of a line")

    def _begin(self) -> None:
        room = self._limit - self.size
        if room <= 0:
            raise _Full(f"{self.folder.name} holds more than {self._limit >> 20} MB (ROUTED_SPOOL_MB)")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while self._file is None:
            path = self.folder / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}{SEGMENT}"
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # The shipper may have found it before it was locked, empty, and removed it.
            if _holds(file):
                self._file = file
            else:
                os.close(file)
        self._written, self._room = 0, min(MOST_IN_SEGMENT, max(room, 1))

    def _leave(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._written = None, 0

    def _lose(self, error: OSError) -> None:
        self._refused_until = time.monotonic() + LOOK_AGAIN_AFTER
        self._leave()
        self.lost += 1
        if time.monotonic() - self._said_at > SAY_EVERY:
            self._said_at = time.monotonic()
            words = "%d decisions of rollouts were not recorded, their calls were answered: %s."
            logger.error(words, self.lost, error)


def _holds(file: int) -> bool:
    """Take a file's lock, unless somebody has it or the file was removed meanwhile."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(file).st_nlink > 0
