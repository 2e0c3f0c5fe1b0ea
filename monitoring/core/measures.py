"""What is measured of calls: each figure's name, its definition in words, and how it comes from the sums."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .comparing import Difference, Estimate, mean, mean_difference, rate, rate_difference

Sums = Mapping[str, int]


@dataclass(frozen=True)
class Measure:
    """A figure. `kind` is its unit: rate (0 to 1), length (ms), latency (ms), score (-1 to 1), cost, count."""

    key: str
    label: str
    meaning: str
    kind: str
    of: Callable[[Sums], Estimate | None]
    is_compared: bool = True

    def difference(self, head: Estimate | None, base: Estimate | None) -> Difference | None:
        """Head minus base, with how sure it is."""
        return (rate_difference if self.kind == "rate" else mean_difference)(head, base)


def _automation(sums: Sums) -> Estimate | None:
    return rate(sums["automated"], sums["engaged"])


def _success(sums: Sums) -> Estimate | None:
    return rate(sums["succeeded"], sums["succeeded"] + sums["failed"])


def _errors(sums: Sums) -> Estimate | None:
    return rate(sums["errors"], sums["calls"])


def _transfers(sums: Sums) -> Estimate | None:
    return rate(sums["transferred"], sums["calls"])


def _duration(sums: Sums) -> Estimate | None:
    return mean(sums["duration_ms"], sums["duration_ds_squared"] * 10_000, sums["timed"])


def _sentiment(sums: Sums) -> Estimate | None:
    plus, minus = sums["positive"], sums["negative"]
    return mean(plus - minus, plus + minus, plus + minus + sums["neutral"])


def _latency(sums: Sums) -> Estimate | None:
    return _exact(sums["latency_ms"] / sums["latencies"], sums["latencies"]) if sums["latencies"] else None


def _score(sums: Sums) -> Estimate | None:
    return _exact(sums["score_milli"] / 1000 / sums["scored"], sums["scored"]) if sums["scored"] else None


def _calls(sums: Sums) -> Estimate | None:
    return _exact(sums["calls"], sums["calls"]) if sums["calls"] else None


def _exact(value: float, n: int) -> Estimate:
    """A value without an interval: of its spread nothing is kept."""
    return Estimate(value, value, value, n)


def cost_per_call(calls: int, micro: int) -> Decimal | None:
    """From the calls that had a cost and its sum in millionths, in the currency's unit."""
    return Decimal(micro) / calls / 1_000_000 if calls else None


MEASURES = (
    Measure(
        "automation",
        "Automation rate",
        "Of all engaged calls that ended: those without a transfer or an error.",
        "rate",
        _automation,
    ),
    Measure("success", "Success rate", "Calls judged a success, of all that were judged.", "rate", _success),
    Measure("errors", "Errors", "Calls with an error, of all calls.", "rate", _errors),
    Measure("transfers", "Transfers", "Transferred calls, of all calls.", "rate", _transfers),
    Measure(
        "duration", "Average duration", "From start to end, of all calls whose length is known.", "length", _duration
    ),
    Measure(
        "sentiment",
        "Sentiment",
        "Positive calls less negative ones, of all with a sentiment: from -1 to 1.",
        "score",
        _sentiment,
    ),
    Measure("score", "Sentiment score", "The average score, of all calls that came with one.", "score", _score, False),
    Measure("latency", "Latency", "The average of the latencies that were sent.", "latency", _latency, False),
    Measure("calls", "Calls", "All calls that began in that time, test calls left out.", "count", _calls, False),
)
BY_KEY = {measure.key: measure for measure in MEASURES}
COMPARED = tuple(measure for measure in MEASURES if measure.is_compared)
