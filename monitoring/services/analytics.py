"""An agent's figures by version, from the sums by hour; two versions compared, with how sure the difference is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from agentversions.models import Agent
from monitoring.core.comparing import Difference, Estimate, mean, mean_difference, rate, rate_difference
from monitoring.core.figures import NAMES
from monitoring.core.histogram import percentile
from monitoring.models import CostFigures, DurationFigures, HourFigures

from .rows import UNKNOWN_VERSION


@dataclass(frozen=True)
class VersionFigures:
    """What one version did. Durations are in ms, sentiment goes from -1 to 1, costs are per call and currency."""

    version: int
    name: str
    sums: Mapping[str, int]
    p50: float | None
    p95: float | None
    costs: Mapping[str, Decimal]

    @property
    def words(self) -> str:
        """`V7`, `Draft` or `Unknown`."""
        return {0: "Draft", UNKNOWN_VERSION: "Unknown"}.get(self.version, f"V{self.version}")

    @property
    def key(self) -> str:
        """The version as the addresses have it."""
        return {0: "draft", UNKNOWN_VERSION: "unknown"}.get(self.version, f"V{self.version}")

    @property
    def automation(self) -> Estimate | None:
        """Engaged calls that ended without a transfer or an error, of all engaged calls."""
        return rate(self.sums["automated"], self.sums["engaged"])

    @property
    def errors(self) -> Estimate | None:
        """Calls with an error, of all calls."""
        return rate(self.sums["errors"], self.sums["calls"])

    @property
    def transfers(self) -> Estimate | None:
        """Transferred calls, of all calls."""
        return rate(self.sums["transferred"], self.sums["calls"])

    @property
    def success(self) -> Estimate | None:
        """Calls judged a success, of all that were judged."""
        return rate(self.sums["succeeded"], self.sums["succeeded"] + self.sums["failed"])

    @property
    def duration(self) -> Estimate | None:
        """The average length, in ms."""
        return mean(self.sums["duration_ms"], self.sums["duration_ds_squared"] * 10_000, self.sums["timed"])

    @property
    def sentiment(self) -> Estimate | None:
        """Positive calls less negative ones, of all with a sentiment."""
        plus, minus = self.sums["positive"], self.sums["negative"]
        return mean(plus - minus, plus + minus, plus + minus + self.sums["neutral"])

    @property
    def sentiments(self) -> tuple[int, int, int] | None:
        """Positive, neutral and negative calls in per cent."""
        counts = [self.sums[name] for name in ("positive", "neutral", "negative")]
        total = sum(counts)
        return (*(round(100 * count / total) for count in counts),) if total else None  # type: ignore[return-value]

    @property
    def latency(self) -> float | None:
        """The average latency, in ms."""
        return self.sums["latency_ms"] / self.sums["latencies"] if self.sums["latencies"] else None


@dataclass(frozen=True)
class Comparison:
    """One figure of two versions."""

    label: str
    meaning: str
    kind: str
    head: Estimate | None
    base: Estimate | None
    difference: Difference | None


FIGURES = (
    (
        "Automation rate",
        "Of all engaged calls that ended: those without a transfer or an error.",
        "automation",
        "rate",
    ),
    ("Success rate", "Calls judged a success, of all that were judged.", "success", "rate"),
    ("Errors", "Calls with an error, of all calls.", "errors", "rate"),
    ("Transfers", "Transferred calls, of all calls.", "transfers", "rate"),
    ("Average duration", "From start to end, of all calls whose length is known.", "duration", "length"),
    ("Sentiment", "Positive calls less negative ones, of all with a sentiment: from -1 to 1.", "sentiment", "score"),
)


def figures_of(agent: Agent, since: datetime, until: datetime) -> list[VersionFigures]:
    """The figures of every version that had calls from one moment to before another, the newest version first.

    Test calls are left out. Hours count whole; percentiles are of the days (UTC) that the moments touch.
    """
    hours = HourFigures.objects.filter(agent_id=agent.pk, is_test=False, hour__gte=since, hour__lt=until)
    rows = hours.values("version").annotate(**{f"sum_{name}": Sum(name) for name in NAMES}).order_by()
    buckets = _buckets(agent, since, until)
    costs = _costs(agent, since, until)
    names = dict(agent.versions.values_list("number", "name"))
    found = [
        VersionFigures(
            row["version"],
            names.get(row["version"], ""),
            {name: row[f"sum_{name}"] for name in NAMES},
            percentile(buckets.get(row["version"], {}), 0.5),
            percentile(buckets.get(row["version"], {}), 0.95),
            costs.get(row["version"], {}),
        )
        for row in rows
        if row["sum_calls"]
    ]
    return sorted(found, key=lambda each: (each.version <= 0, -each.version))


def compare(head: VersionFigures, base: VersionFigures) -> list[Comparison]:
    """Every figure of two versions, with the difference and how sure it is."""
    compared = []
    for label, meaning, name, kind in FIGURES:
        one, other = getattr(head, name), getattr(base, name)
        difference = (rate_difference if kind == "rate" else mean_difference)(one, other)
        compared.append(Comparison(label, meaning, kind, one, other, difference))
    return compared


def _buckets(agent: Agent, since: datetime, until: datetime) -> dict[int, dict[int, int]]:
    days = {"day__gte": since.astimezone(UTC).date(), "day__lte": until.astimezone(UTC).date()}
    rows = DurationFigures.objects.filter(agent_id=agent.pk, is_test=False, **days)
    found: dict[int, dict[int, int]] = {}
    for version, bucket, calls in rows.values_list("version", "bucket").annotate(Sum("calls")).order_by():
        found.setdefault(version, {})[bucket] = calls
    return found


def _costs(agent: Agent, since: datetime, until: datetime) -> dict[int, dict[str, Decimal]]:
    rows: Any = CostFigures.objects.filter(agent_id=agent.pk, is_test=False, hour__gte=since, hour__lt=until)
    summed = rows.values_list("version", "currency").annotate(Sum("calls"), Sum("cost")).order_by()
    found: dict[int, dict[str, Decimal]] = {}
    for version, currency, calls, cost in summed:
        if calls:
            found.setdefault(version, {})[currency] = cost / calls
    return found
