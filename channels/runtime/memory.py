"""A bounded memory: entries up to a number of bytes; those not asked for since the hand last passed go first."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class _Entry(Generic[V]):
    __slots__ = ("is_from_store", "is_used", "size", "value")

    def __init__(self, value: V, size: int, *, is_from_store: bool) -> None:
        self.value = value
        self.size = size
        self.is_from_store = is_from_store
        self.is_used = False


class Memory(Generic[V]):
    """A second-chance ("clock") cache. Reading takes no lock, so that threads never wait for one another."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._entries: dict[str, _Entry[V]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> V | None:
        """The value, None when it is not here."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.is_used = True
        return entry.value

    def put(self, key: str, value: V, size: int, *, is_from_store: bool = False) -> None:
        """Keep a value, making room; one that is greater than the whole memory is not kept."""
        if size > self.limit:
            return
        with self._lock:
            self._drop(key)
            while self.used + size > self.limit:
                self._make_room()
            self._entries[key] = _Entry(value, size, is_from_store=is_from_store)
            self.used += size

    def drop(self, key: str) -> None:
        """Forget a value."""
        with self._lock:
            self._drop(key)

    def drop_where(self, is_meant: Callable[[V], bool]) -> None:
        """Forget every value that is meant."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if is_meant(entry.value)]:
                self._drop(key)

    def drop_from_store(self) -> None:
        """Forget what was read from the last-known-good store."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry.is_from_store]:
                self._drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.used = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.used -= entry.size

    def _make_room(self) -> None:
        """Drop the oldest entry that nobody asked for; one that was asked for goes to the end, once."""
        key = next(iter(self._entries))
        entry = self._entries.pop(key)
        if entry.is_used:
            entry.is_used = False
            self._entries[key] = entry
        else:
            self.used -= entry.size
