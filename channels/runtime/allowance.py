"""How often one token may ask: so many requests a second, and a burst of as many."""

import math
import threading
import time
from collections.abc import Callable

MOST_TOKENS = 10_000


class Allowance:
    """Token buckets by name, in one worker; 0 a second means without end."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_second
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def seconds_to_wait(self, name: str) -> int:
        """Count one request; 0 when it is allowed, else the whole seconds after which to ask again."""
        if not self._rate:
            return 0
        burst = max(self._rate, 1.0)
        with self._lock:
            now = self._clock()
            left, at = self._left.get(name, (burst, now))
            left = min(left + (now - at) * self._rate, burst)
            if left < 1:
                self._left[name] = (left, now)
                return max(math.ceil((1 - left) / self._rate), 1)
            if len(self._left) >= MOST_TOKENS:
                self._left.clear()
            self._left[name] = (left - 1, now)
            return 0
