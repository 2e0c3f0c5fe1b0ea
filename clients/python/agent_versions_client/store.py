"""Configurations by digest and the last answers, in memory and on disk."""

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from .answers import BadAnswer

MOST_IN_MEMORY = 200


class Store:
    """Keeps what was fetched. Without a folder it lives as long as the process."""

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        self._folder = Path(folder) if folder is not None else None
        self._bodies: dict[str, dict[str, Any]] = {}
        self._last: dict[str, dict[str, Any]] = {}
        if self._folder is not None:
            for name in ("configurations", "last"):
                (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def digests(self) -> list[str]:
        """What is at hand without a file, the newest last."""
        return list(self._bodies)

    def keep(self, digest: str, text: str) -> dict[str, Any]:
        """Keep a configuration's canonical text. Raises BadAnswer when the digest is another's."""
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise BadAnswer(f"The configuration {digest[:8]} arrived with other bytes.")
        self._write("configurations", digest, text)
        return self._remember(digest, json.loads(text))

    def configuration(self, digest: str) -> dict[str, Any] | None:
        """A kept configuration; None when it is not there or its file was damaged."""
        if digest in self._bodies:
            return self._bodies[digest]
        text = self._read("configurations", digest)
        if text is None or hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        return self._remember(digest, json.loads(text))

    def remember_answer(self, number: str, answer: dict[str, Any]) -> None:
        """Keep the last answer for a number, for the day the server cannot be reached."""
        if self._last.get(number) != answer:
            self._last[number] = answer
            self._write("last", _name(number), json.dumps(answer))

    def last_answer(self, number: str) -> dict[str, Any] | None:
        """The last answer for a number."""
        if number in self._last:
            return self._last[number]
        text = self._read("last", _name(number))
        with contextlib.suppress(ValueError):
            found: dict[str, Any] | None = json.loads(text) if text else None
            return found
        return None

    def _remember(self, digest: str, configuration: dict[str, Any]) -> dict[str, Any]:
        self._bodies[digest] = configuration
        while len(self._bodies) > MOST_IN_MEMORY:
            del self._bodies[next(iter(self._bodies))]
        return configuration

    def _write(self, kind: str, name: str, text: str) -> None:
        """In one step, so that a crash leaves the old file or the new one."""
        if self._folder is None:
            return
        path = self._folder / kind / name
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):  # a full disk must not stop a call
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)

    def _read(self, kind: str, name: str) -> str | None:
        if self._folder is not None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                return (self._folder / kind / name).read_text(encoding="utf-8")
        return None


def _name(number: str) -> str:
    return hashlib.sha256(number.encode("utf-8", "surrogatepass")).hexdigest()[:32]
