"""A request's body as a stream, for files that are larger than what is kept in memory."""

import io
from typing import BinaryIO, cast

from django.http import HttpRequest


class _Body(io.RawIOBase):
    """What is left of a body; Django knows the length of an ordinary one, the server the end of one in chunks."""

    def __init__(self, request: HttpRequest) -> None:
        is_chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        self._read = request.META["wsgi.input"].read if is_chunked else request.read

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        """The next bytes."""
        data: bytes = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def body_stream(request: HttpRequest) -> BinaryIO:
    """The body of a request that nobody has read; it is never whole in memory."""
    return cast(BinaryIO, io.BufferedReader(_Body(request), buffer_size=1 << 16))
