"""What the runtime counts for Prometheus. A call appends to a queue (0.1 µs); a thread counts once a second."""

import threading
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from config.exposition import LOOKED, REGISTRY

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""
EVERY = 1.0
MOST_QUEUED = 200_000
"""Calls that may wait to be counted; a thread that hangs must not fill the memory."""


class _Batched(Histogram):
    """A histogram that takes many observations at once."""

    def take(self, counts: dict[int, int], total: float) -> None:
        """Add so many observations to each bucket (by its place), `total` seconds in all."""
        for place, count in counts.items():
            self._buckets[place].inc(count)
        self._sum.inc(total)


ROUTED = Counter(
    "canary_routed",
    "Decisions of a rollout's split for calls; one that is asked for again counts again",
    ["agent", "version", "arm"],
    registry=REGISTRY,
)
RESULTS = Counter("resolve_results", "Answers of /api/v1/resolve by kind", ["kind"], registry=REGISTRY)
DURATION = _Batched(
    "resolve_duration_seconds", "Time that /api/v1/resolve took in the application", buckets=BOUNDS, registry=REGISTRY
)
LAST_LOOK = Gauge(LOOKED, "When each worker last read what moved", registry=REGISTRY, multiprocess_mode="livemin")

Event = tuple[str, float] | tuple[str, int | None, str]


class Meters(threading.Thread):
    """Counts for one worker; `age` gives the seconds since its memory was last known to be right."""

    def __init__(self, age: Callable[[], float]) -> None:
        super().__init__(name="meters", daemon=True)
        self._age = age
        self._queue: deque[Event] = deque(maxlen=MOST_QUEUED)
        self._lock = threading.Lock()
        self.stopped = threading.Event()

    def resolved(self, kind: str, seconds: float) -> None:
        """An answer of this kind (`ok`, or the kind of a problem) was given after so many seconds."""
        self._queue.append((kind, seconds))

    def routed(self, agent: str, version: int | None, arm: str) -> None:
        """A rollout's split decided for a call."""
        self._queue.append((agent, version, arm))

    def run(self) -> None:
        """Count once a second."""
        while not self.stopped.wait(EVERY):
            self.count()

    def stop(self) -> None:
        """End the thread and count what waits."""
        self.stopped.set()
        if self.is_alive():
            self.join()
        self.count()

    def count(self) -> None:
        """Count what waits, and say how old the memory is."""
        with self._lock:
            events = [self._queue.popleft() for _ in range(len(self._queue))]
        age = self._age()
        if age < float("inf"):
            LAST_LOOK.set(time.time() - age)
        answers = [event for event in events if len(event) == 2]
        for kind, times in Tally(kind for kind, _ in answers).items():
            RESULTS.labels(kind).inc(times)
        for (agent, version, arm), times in Tally(event for event in events if len(event) == 3).items():
            ROUTED.labels(agent, "draft" if version is None else str(version), arm).inc(times)
        if answers:
            DURATION.take(Tally(bisect_left(BOUNDS, seconds) for _, seconds in answers), sum(s for _, s in answers))
