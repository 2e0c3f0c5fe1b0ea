"""Buckets: every caller has one of 100,000 per test, and a test gives its buckets to its variants.

The rule is written down so that anybody can recompute it (docs/api.md): the first 8 bytes of
SHA-256(salt + ":" + unit) as a big-endian integer, scaled to 0 … 99,999.
"""

import hashlib
from collections.abc import Mapping, Sequence

BUCKETS = 100_000
"""A share is a number of buckets: 1 is 0.001 %."""

Range = tuple[int, int]
"""Buckets from the first up to, but not including, the second."""


def bucket_of(salt: str, unit: str) -> int:
    """The bucket (0 … 99,999) of a unit: a caller in E.164, a chat user's id, or a call id."""
    digest = hashlib.sha256(f"{salt}:{unit}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * BUCKETS >> 64


def threshold_of(share: int) -> bytes:
    """What a SHA-256 of salt, colon and unit is below exactly when the unit's bucket is below a share under 100,000.

    bucket < share is floor(x · 100,000 / 2^64) < share for the first 8 bytes x, and that is x < ceil(share · 2^64 /
    100,000); of bytes that begin alike the longer ones are the greater.
    """
    return (-(-(share << 64) // BUCKETS)).to_bytes(8, "big")


def size(ranges: Sequence[Range]) -> int:
    """How many buckets these ranges hold."""
    return sum(stop - start for start, stop in ranges)


def allocate(before: Mapping[str, Sequence[Range]], shares: Mapping[str, int]) -> dict[str, list[Range]]:
    """The ranges of each variant for new shares, moving as few callers as possible.

    `shares` are buckets per variant and add up to 100,000. Who shrinks or leaves gives its highest buckets away; who
    grows or is new takes them: exactly the changed share moves, and nobody else. `before` is empty for a new test.
    """
    if sum(shares.values()) != BUCKETS or min(shares.values(), default=0) < 0:
        raise ValueError(f"Shares must add up to {BUCKETS}, not {sum(shares.values())}.")
    kept: dict[str, list[Range]] = {}
    taken: list[Range] = []
    for name, share in shares.items():
        kept[name] = _lowest(before.get(name, ()), share)
        taken += kept[name]
    free = _holes(taken)
    for name, share in shares.items():
        wanted = share - size(kept[name])
        given, free = _split(free, wanted)
        kept[name] = _joined([*kept[name], *given])
    return kept


def _lowest(ranges: Sequence[Range], count: int) -> list[Range]:
    return _split(sorted(ranges), count)[0]


def _split(ranges: Sequence[Range], count: int) -> tuple[list[Range], list[Range]]:
    """The first `count` buckets of sorted ranges, and the rest."""
    first: list[Range] = []
    rest: list[Range] = []
    for start, stop in ranges:
        middle = min(stop, start + count)
        if middle > start:
            first.append((start, middle))
        if middle < stop:
            rest.append((middle, stop))
        count -= middle - start
    return first, rest


def _holes(taken: Sequence[Range]) -> list[Range]:
    holes: list[Range] = []
    at = 0
    for start, stop in sorted(taken):
        if start > at:
            holes.append((at, start))
        at = stop
    if at < BUCKETS:
        holes.append((at, BUCKETS))
    return holes


def _joined(ranges: Sequence[Range]) -> list[Range]:
    joined: list[Range] = []
    for start, stop in sorted(ranges):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
