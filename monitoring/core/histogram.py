"""Durations in buckets that grow by 2 %: any percentile within 1 %, by day and by month, added up at will."""

import math
from collections.abc import Mapping

GROWTH = 1.02
_LOG = math.log(GROWTH)


def bucket_of(duration_ms: int) -> int:
    """The bucket of a duration; bucket 0 is everything below a hundredth of a second."""
    return 0 if duration_ms < 10 else 1 + math.floor(math.log(duration_ms / 10) / _LOG)


def middle_of(bucket: int) -> float:
    """The duration in ms that stands for a bucket: at most 1 % from any in it."""
    return 5.0 if bucket == 0 else 10 * GROWTH ** (bucket - 0.5)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration in ms that this share of all calls did not exceed; None without calls."""
    total = sum(counts.values())
    if total <= 0:
        return None
    wanted, seen = share * total, 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            return middle_of(bucket)
    return middle_of(max(counts))
