"""An agent's figures by version and by day, from the sums that ingestion keeps; two versions compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from agentversions.models import Agent
from monitoring.core.comparing import Difference, Estimate
from monitoring.core.figures import NAMES
from monitoring.core.histogram import percentile
from monitoring.core.measures import BY_KEY, COMPARED, Measure, cost_per_call
from monitoring.core.periods import Period
from monitoring.core.rollups import COST, DAILY, DURATION, PART, REASON
from monitoring.models import HourFigures

from .rows import UNKNOWN_VERSION
from .sums import sums_by_slot, sums_by_version

MOST_REASONS = 12


@dataclass(frozen=True)
class VersionFigures:
    """What one version did. Percentiles are in ms; costs per call by currency."""

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
    def measured(self) -> Mapping[str, Estimate | None]:
        """Every measure by its key."""
        return {key: measure.of(self.sums) for key, measure in BY_KEY.items()}

    @property
    def sentiments(self) -> tuple[int, int, int] | None:
        """Positive, neutral and negative calls in per cent."""
        counts = [self.sums[name] for name in ("positive", "neutral", "negative")]
        total = sum(counts)
        return (*(round(100 * count / total) for count in counts),) if total else None  # type: ignore[return-value]


@dataclass(frozen=True)
class Comparison:
    """One measure of two versions."""

    measure: Measure
    head: Estimate | None
    base: Estimate | None
    difference: Difference | None


def figures_of(agent: Agent, period: Period) -> list[VersionFigures]:
    """The figures of every version that had calls in the period, the newest version first; test calls left out."""
    totals = {
        version: dict(zip(NAMES, sums, strict=True))
        for (version, _), sums in sums_by_version(DAILY, agent.pk, period).items()
    }
    histograms = _histograms(agent, period)
    costs = _costs(agent, period)
    names = dict(agent.versions.filter(number__in=totals).values_list("number", "name"))
    found = []
    for version in sorted(totals, key=lambda each: (each <= 0, -each)):
        counts = histograms.get(version, {})
        found.append(
            VersionFigures(
                version,
                names.get(version, ""),
                totals[version],
                percentile(counts, 0.5),
                percentile(counts, 0.95),
                costs.get(version, {}),
            )
        )
    return found


def first_day(agent: Agent, zone: ZoneInfo) -> date | None:
    """The day of the reader's on which the agent's first call began; None without calls."""
    first = HourFigures.objects.filter(agent_id=agent.pk).order_by("hour").values_list("hour", flat=True).first()
    return first.astimezone(zone).date() if first else None


def series_of(agent: Agent, period: Period, versions: Sequence[int]) -> dict[int, dict[int, Mapping[str, int]]]:
    """The sums of each version in each slot of the period that had calls."""
    found: dict[int, dict[int, Mapping[str, int]]] = {version: {} for version in versions}
    for (version, slot), sums in sums_by_slot(agent.pk, period, versions).items():
        found[version][slot] = dict(zip(NAMES, sums, strict=True))
    return found


def _histograms(agent: Agent, period: Period) -> dict[int, dict[int, int]]:
    """How many calls of each version were in which bucket of durations."""
    found: dict[int, dict[int, int]] = {}
    for (version, part), counts in sums_by_version(DURATION, agent.pk, period, by="part").items():
        buckets = found.setdefault(version, {})
        buckets.update({part * PART + place: calls for place, calls in enumerate(counts) if calls})
    return found


def _costs(agent: Agent, period: Period) -> dict[int, dict[str, Decimal]]:
    found: dict[int, dict[str, Decimal]] = {}
    for (version, currency), (calls, micro) in sorted(sums_by_version(COST, agent.pk, period, by="currency").items()):
        cost = cost_per_call(calls, micro)
        if cost is not None:
            found.setdefault(version, {})[currency] = cost
    return found


def compare(head: VersionFigures, base: VersionFigures) -> list[Comparison]:
    """Every measure of two versions that can be compared, with the difference and how sure it is."""
    compared = []
    for measure in COMPARED:
        one, other = measure.of(head.sums), measure.of(base.sums)
        compared.append(Comparison(measure, one, other, measure.difference(one, other)))
    return compared


@dataclass(frozen=True)
class ReasonShare:
    """Why calls ended: counts and shares (of the version's calls with a reason) for each asked version."""

    reason: str
    shares: list[tuple[int, float]]


def ended_reasons(agent: Agent, period: Period, versions: list[int]) -> list[ReasonShare]:
    """The commonest reasons first; those beyond the twelfth are added up as “other”."""
    counted = sums_by_version(REASON, agent.pk, period, by="reason")
    counts: dict[str, list[int]] = {}
    for (version, reason), (calls,) in counted.items():
        if version in versions:
            counts.setdefault(reason, [0] * len(versions))[versions.index(version)] += calls
    totals = [sum(row[at] for row in counts.values()) for at in range(len(versions))]
    ranked = sorted(counts.items(), key=lambda each: (-sum(each[1]), each[0]))
    shown, rest = ranked[:MOST_REASONS], ranked[MOST_REASONS:]
    if rest:
        shown.append(("other", [sum(row[at] for _, row in rest) for at in range(len(versions))]))
    return [
        ReasonShare(
            reason, [(count, count / total if total else 0.0) for count, total in zip(row, totals, strict=True)]
        )
        for reason, row in shown
    ]
