"""Scores of runs: what became of each case, the weighted share that passed, and the same per tag."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .statistics import Interval, exact_interval
from .verdicts import Verdict

ALL = ""
"""The tag of everything."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A case with what became of it: `pass`, `fail`, `invalid` (the judge gave no verdict) or `error` (no answer)."""

    name: str
    outcome: str
    weight: float = 1.0
    must_pass: bool = False
    tags: tuple[str, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Whether it passed or failed."""
        return self.outcome in ("pass", "fail")


@dataclass(slots=True)
class Score:
    """Counts of cases by outcome, and the weights behind the share. Only decided cases are in the share."""

    passed: int = 0
    failed: int = 0
    invalid: int = 0
    errors: int = 0
    weight_passed: float = 0.0
    weight_decided: float = 0.0
    must_pass_failed: list[str] = field(default_factory=list)

    def add(self, case: Graded) -> None:
        """Count one case."""
        if case.is_decided:
            self.weight_decided += case.weight
        if case.outcome == "pass":
            self.passed += 1
            self.weight_passed += case.weight
        elif case.outcome == "fail":
            self.failed += 1
        elif case.outcome == "invalid":
            self.invalid += 1
        else:
            self.errors += 1
        if case.must_pass and case.outcome != "pass":
            self.must_pass_failed.append(case.name)

    @property
    def cases(self) -> int:
        """All cases."""
        return self.passed + self.failed + self.undecided

    @property
    def undecided(self) -> int:
        """Those without a verdict or an answer."""
        return self.invalid + self.errors

    @property
    def share(self) -> float | None:
        """The weighted share of the decided cases that passed, None without any."""
        return self.weight_passed / self.weight_decided if self.weight_decided else None

    @property
    def interval(self) -> Interval:
        """The exact 95 % interval of the share of cases (not weighted) that pass."""
        return exact_interval(self.passed, self.passed + self.failed)


def outcome_of(verdicts: Sequence[Verdict]) -> str:
    """A case fails by one failed expectation; else one invalid verdict leaves it without one; else it passes."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return "fail" if "fail" in outcomes else "invalid" if "invalid" in outcomes else "pass"


def score(cases: Iterable[Graded]) -> Score:
    """The score of all cases."""
    return score_by_tag(cases)[ALL]


def score_by_tag(cases: Iterable[Graded]) -> dict[str, Score]:
    """The score of all cases under the empty tag, then of each tag by name."""
    whole, tags = Score(), dict[str, Score]()
    for case in cases:
        whole.add(case)
        for tag in case.tags:
            tags.setdefault(tag, Score()).add(case)
    return {ALL: whole, **dict(sorted(tags.items()))}
