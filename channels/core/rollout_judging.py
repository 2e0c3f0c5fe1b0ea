"""How a rollout is to be judged, beside its plan: by which rule, from which figures, with which guardrails."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from agentversions.core.canonical_json import canonical
from agentversions.core.reading import FieldError

LEAST_SAMPLE = 100
"""Calls of the canary below which the simple rule says nothing, unless somebody says otherwise."""


class Rule(StrEnum):
    """The sequential test, or the simple rule on the ratio of error rates."""

    SEQUENTIAL = "sequential"
    THRESHOLD = "threshold"


class Figures(StrEnum):
    """Where the figures come from: the calls of this installation, or a Prometheus server."""

    CALLS = "calls"
    PROMETHEUS = "prometheus"


class Counts(StrEnum):
    """Which calls the test counts: failed ones; or successful ones, where most calls fail."""

    FAILURES = "failures"
    SUCCESSES = "successes"


class Guardrail(StrEnum):
    """What else rolls back when it becomes worse, beside the error rate."""

    AUTOMATION = "automation"
    SENTIMENT = "sentiment"
    DURATION = "duration"
    LATENCY = "latency"
    JUDGE_SCORE = "judge_score"


@dataclass(frozen=True)
class Judging:
    """How one rollout is judged; decided when it is made."""

    rule: Rule = Rule.SEQUENTIAL
    figures: Figures = Figures.CALLS
    counts: Counts = Counts.FAILURES
    guardrails: tuple[Guardrail, ...] = ()
    least_sample: int = LEAST_SAMPLE


def errors_in_judging(judging: Judging) -> tuple[FieldError, ...]:
    """What is wrong, each at its field; empty when nothing is."""
    return tuple(_errors_in(judging))


def _errors_in(judging: Judging) -> Iterator[FieldError]:
    if judging.least_sample < 1:
        yield FieldError("least_sample", "The simple rule needs a sample of at least one call.")
    if len(set(judging.guardrails)) < len(judging.guardrails):
        yield FieldError("guardrails", "Each guardrail comes once.")
    if judging.figures == Figures.PROMETHEUS and judging.guardrails:
        yield FieldError("guardrails", "A Prometheus server gives error rates only. Leave the guardrails out.")


def write_judging(judging: Judging) -> str:
    """Its canonical JSON."""
    return canonical({**asdict(judging), "guardrails": list(judging.guardrails)})


def read_judging(body: str) -> Judging:
    """What `write_judging` wrote."""
    value = json.loads(body)
    return Judging(
        Rule(value["rule"]),
        Figures(value["figures"]),
        Counts(value["counts"]),
        tuple(Guardrail(each) for each in value["guardrails"]),
        value["least_sample"],
    )
