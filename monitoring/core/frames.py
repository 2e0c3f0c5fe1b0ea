"""Frames of an append-only file: each payload with its length and checksums, found again behind any damage.

A frame is a marker that no UTF-8 text holds, the payload's length (4 bytes, the greatest first), a checksum of these
(4 bytes), one of the payload (16 bytes), and the payload, which is UTF-8 text. What was cut short by a kill at the end
of a file is told apart from what was damaged later: the first was never acknowledged, the second was.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

MARK = b"\xf5\xffcall\xff\xf5"
HEAD = len(MARK) + 4 + 4
OVERHEAD = HEAD + 16


def frame(payload: bytes) -> bytes:
    """The bytes to append for a payload."""
    head = MARK + len(payload).to_bytes(4, "big")
    return head + _sum(head, 4) + _sum(payload, 16) + payload


@dataclass
class Frames:
    """The payloads of a file's bytes in order; once read, whether something between them was damaged."""

    data: bytes = field(repr=False)
    is_damaged: bool = False

    def __iter__(self) -> Iterator[bytes]:
        at = 0
        while at < len(self.data):
            payload = self._payload(at)
            if payload is not None:
                yield payload
                at += OVERHEAD + len(payload)
                continue
            if self._is_cut_short(at):
                return
            self.is_damaged = True
            following = self.data.find(MARK, at + 1)
            at = following if following >= 0 else len(self.data)

    def _payload(self, at: int) -> bytes | None:
        """The payload of a whole frame at a place."""
        if not self._has_head(at):
            return None
        start = at + OVERHEAD
        payload = self.data[start : start + self._length(at)]
        is_whole = len(payload) == self._length(at) and _sum(payload, 16) == self.data[at + HEAD : start]
        return payload if is_whole else None

    def _is_cut_short(self, at: int) -> bool:
        """Whether the file ends inside the frame that begins here, as it does when its writer was killed."""
        if self._has_head(at):
            return at + OVERHEAD + self._length(at) > len(self.data)
        rest = self.data[at:]
        return len(rest) < HEAD and MARK.startswith(rest[: len(MARK)])

    def _has_head(self, at: int) -> bool:
        head = self.data[at : at + HEAD - 4]
        return head.startswith(MARK) and _sum(head, 4) == self.data[at + HEAD - 4 : at + HEAD]

    def _length(self, at: int) -> int:
        return int.from_bytes(self.data[at + len(MARK) : at + len(MARK) + 4], "big")


def _sum(data: bytes, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()
