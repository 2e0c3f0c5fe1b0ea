"""Reads commits, trees and files through one running `git cat-file --batch`: a question costs microseconds."""

import contextlib
import subprocess
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from django.conf import settings

from agentversions.core.git.objects import Commit, Entry, ObjectRefused, parse_commit, parse_tree

from .program import environment, git_command, stop

MAX_OBJECT_BYTES = 4_000_000
"""Of a commit or a tree; files have the limit that their reader names."""
KEPT_BYTES = 64_000_000
EXPECTED_AT_ONCE, EXPECTED_BYTES = 100, 16_000_000
"""Objects asked for together: their names fit into the pipe while nobody reads the answers; and when to stop."""
CHUNK = 1 << 20


class NotGiven(ObjectRefused):
    """An object that is missing or too large; the next answer is the next object's."""


class ObjectReader:
    """The objects of a local repository; use it as a context manager. What was read is kept, up to 64 MB.

    `seconds` bounds the whole reading: a repository that hangs ends the process, and the reader says so."""

    def __init__(self, folder: Path, *, seconds: float | None = None) -> None:
        self._folder = folder
        self._seconds = seconds or settings.GIT_SYNC_TIMEOUT * 10
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._kept_bytes = self._read_bytes = 0
        self._trees: dict[str, tuple[Entry, ...]] = {}

    def __enter__(self) -> "ObjectReader":
        self._process = subprocess.Popen(
            git_command("cat-file", "--batch", folder=self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        self._watch = threading.Timer(self._seconds, self._process.kill)
        self._watch.daemon = True
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.cancel()
        stop(self._process)

    def commit(self, commit: str) -> Commit:
        """The commit with this full hash. Raises ObjectRefused."""
        return parse_commit(commit, self._read(commit, "commit", MAX_OBJECT_BYTES))

    def tree(self, tree: str) -> tuple[Entry, ...]:
        """The entries of a tree. Raises ObjectRefused."""
        if tree not in self._trees:
            if len(self._trees) > 100_000:
                self._trees.clear()
            self._trees[tree] = parse_tree(self._read(tree, "tree", MAX_OBJECT_BYTES), hash_size=len(tree) // 2)
        return self._trees[tree]

    def blob(self, blob: str, limit: int) -> bytes:
        """The bytes of a file. Raises ObjectRefused when it has more than `limit`."""
        return self._read(blob, "blob", limit)

    def expect(self, names: Iterable[str]) -> None:
        """Read objects together that are asked for next: one wait for many. What cannot be read is said when asked."""
        wanted = [name for name in dict.fromkeys(names) if name not in self._kept and name not in self._trees]
        before = self._read_bytes
        for start in range(0, len(wanted), EXPECTED_AT_ONCE):
            if self._read_bytes - before > EXPECTED_BYTES:
                return
            some = wanted[start : start + EXPECTED_AT_ONCE]
            with contextlib.suppress(ObjectRefused):
                self._ask(some)
                for name in some:
                    with contextlib.suppress(NotGiven):
                        self._keep(name, *self._answer(MAX_OBJECT_BYTES))

    def _read(self, name: str, kind: str, limit: int) -> bytes:
        if name in self._kept:
            self._kept.move_to_end(name)
        else:
            self._ask([name])
            self._keep(name, *self._answer(limit))
        found, content = self._kept[name]
        if len(content) > limit:
            raise _too_large(len(content), limit)
        if found != kind:
            raise ObjectRefused(f"is a {found}, not a {kind}.")
        return content

    def _keep(self, name: str, kind: str, content: bytes) -> None:
        self._kept[name] = kind, content
        self._kept_bytes += len(content)
        self._read_bytes += len(content)
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1][1])

    def _ask(self, names: list[str]) -> None:
        asked = self._process.stdin
        assert asked is not None
        try:
            asked.write("".join(f"{name}\n" for name in names).encode())
            asked.flush()
        except OSError as error:
            raise ObjectRefused("cannot be read: git stopped.") from error

    def _answer(self, limit: int) -> tuple[str, bytes]:
        """The kind and bytes of the next object that was asked for."""
        answers = self._process.stdout
        assert answers is not None
        head = answers.readline().split()
        if head[-1:] == [b"missing"]:
            raise NotGiven("is not in the repository.")
        if len(head) != 3:
            raise ObjectRefused("cannot be read: git stopped.")
        size, left = int(head[2]), int(head[2]) + 1
        parts = []
        while left:
            part = answers.read(min(left, CHUNK))
            if not part:
                raise ObjectRefused("cannot be read: git stopped.")
            left -= len(part)
            # What is too large is read past, a piece at a time, so that the next question has its answer.
            if size <= limit:
                parts.append(part)
        if size > limit:
            raise _too_large(size, limit)
        return head[1].decode(), b"".join(parts)[:-1]


def _too_large(size: int, limit: int) -> NotGiven:
    return NotGiven(f"has {size / 1e6:.1f} MB; the limit is {limit / 1e6:.0f} MB. Shorten it.")
