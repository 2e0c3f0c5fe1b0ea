"""Every count of the product as Prometheus reads it, over all processes of this machine."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from .metrics import VARIABLE

REGISTRY = CollectorRegistry()
"""Where the apps register what they count."""
LOOKED = "routing_data_looked_at_seconds"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _AllGroups:
    """The files of all process groups, added up."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def collect(self) -> Iterator[Metric]:
        """Each metric once."""
        files = [str(path) for path in self._root.glob("*/*.db")]
        yield from MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """The page, in the text format. The age of the routing data is that of the worker that is furthest behind."""
    source: CollectorRegistry | _AllGroups = REGISTRY
    if folder := os.environ.get(VARIABLE):
        source = _AllGroups(Path(folder).parent)
    shown = CollectorRegistry()
    shown.register(_WithAge(source))
    return generate_latest(shown)


class _WithAge:
    """Moments become ages: a scrape may come long after a worker stopped looking."""

    def __init__(self, source: CollectorRegistry | _AllGroups) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        """Each metric, with the age in place of the moment."""
        for metric in self._source.collect():
            if metric.name != LOOKED:
                yield metric
                continue
            looked = [sample.value for sample in metric.samples if sample.value > 0]
            words = "Seconds since the worker that is furthest behind last read what moved"
            age = GaugeMetricFamily("routing_data_age_seconds", words)
            if looked:
                age.add_metric([], max(0.0, time.time() - min(looked)))
            yield age
