"""One measure over time: the table that is drawn as a chart, and all measures as CSV."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile
from typing import Any

from agentversions.models import Agent
from monitoring.core.comparing import Estimate
from monitoring.core.figures import NAMES
from monitoring.core.measures import MEASURES, Measure
from monitoring.core.periods import Period

from .analytics import VersionFigures, series_of
from .exporting import Line, safe


@dataclass(frozen=True)
class ChartRow:
    """A slot of the period with the measure of each version; None where it had no calls that count."""

    at: datetime
    values: list[Estimate | None]


@dataclass(frozen=True)
class Chart:
    """A measure by version and slot."""

    measure: Measure
    grain: str
    rows: list[ChartRow]

    @property
    def is_empty(self) -> bool:
        """Whether no version has any value."""
        return not any(value for row in self.rows for value in row.values)


def chart_of(agent: Agent, versions: Sequence[VersionFigures], measure: Measure, period: Period) -> Chart:
    """The measure of these versions, slot by slot from the first with calls."""
    series = list(series_of(agent, period, [each.version for each in versions]).values())
    rows = [
        ChartRow(at, [measure.of(slots[slot]) if slot in slots else None for slots in series])
        for slot, at in enumerate(period.boundaries[:-1])
    ]
    # The time before the first call says nothing.
    return Chart(measure, str(period.grain), list(dropwhile(lambda row: not any(row.values), rows)))


def export_chart(agent: Agent, versions: Sequence[VersionFigures], period: Period) -> Iterator[str]:
    """The lines of a CSV file: a row for each version and slot with calls, its sums and its measures."""
    writer: Any = csv.writer(Line())
    since, until = period.since.isoformat(), period.until.isoformat()
    said = f"{agent.slug}, {since} to {until}, by {period.grain}, test calls left out"
    yield "\ufeff" + writer.writerow([f"Analytics: {said}"])
    yield writer.writerow(["version", "name", period.grain, *NAMES, *(measure.key for measure in MEASURES)])
    series = series_of(agent, period, [each.version for each in versions])
    for each in versions:
        for slot, sums in sorted(series[each.version].items()):
            measured = [measure.of(sums) for measure in MEASURES]
            values = ["" if value is None else round(value.value, 6) for value in measured]
            start = period.boundaries[slot].isoformat()
            yield writer.writerow([each.words, safe(each.name), start, *(sums[name] for name in NAMES), *values])
