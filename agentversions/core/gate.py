"""The gate before live or canary as a pure decision: from what is known of each required suite to a yes or no in words.

Missing counts as fail: a suite that was not run on exactly this configuration, or not to its end, holds the gate shut.
"""

from dataclasses import dataclass

EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class SuiteEvidence:
    """What is known of one required suite for one configuration (by its digest).

    `revision` is the suite's newest; `run` the newest finished run of it on exactly this digest, None where there is
    none. `score` and `live_score` are weighted shares from 0 to 1; `undecided` counts cases without a verdict or an
    answer. `live_run` is the finished run of the same revision on the live version's digest, None where there is none;
    `broken_must_pass` names must-pass cases that pass there and fail here, `failed_must_pass` all that fail here.
    """

    suite: str
    name: str
    revision: int
    cases: int
    run: int | None = None
    run_state: str = ""
    score: float | None = None
    undecided: int = 0
    failed_must_pass: tuple[str, ...] = ()
    has_live: bool = False
    live_run: int | None = None
    live_score: float | None = None
    broken_must_pass: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a suite holds the gate shut: its slug and a sentence that says what to do."""

    suite: str
    message: str


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether the gate is open, and everything that holds it shut."""

    findings: tuple[Finding, ...]

    @property
    def is_open(self) -> bool:
        """Whether nothing holds it."""
        return not self.findings

    @property
    def words(self) -> str:
        """All findings as one text."""
        return " ".join(finding.message for finding in self.findings)


def decide(evidence: tuple[SuiteEvidence, ...], *, tolerance: float = 0.0) -> GateDecision:
    """Open when every suite was run on exactly this digest with a verdict on every case, no must-pass case fell from
    pass to fail, and its score is at least the live version's minus `tolerance` (a share: 0.02 is two points).

    Without a live version there is nothing to fall behind: then every must-pass case has to pass.
    """
    return GateDecision(tuple(Finding(one.suite, words) for one in evidence if (words := _held_by(one, tolerance))))


def _held_by(one: SuiteEvidence, tolerance: float) -> str:
    """Why this suite holds the gate shut, empty when it does not."""
    name = f"“{one.name}” (revision {one.revision})"
    if not one.cases:
        return f"{name} has no cases, so it shows nothing. Add cases, or do not require it."
    if one.run is None or one.score is None:
        return f"{name} has not been run to its end on exactly this configuration. Run it."
    if one.undecided:
        return f"{name} left {one.undecided:,} of {one.cases:,} cases without a verdict. Run it again."
    if one.has_live and (one.live_run is None or one.live_score is None):
        return f"{name} has not been run on the live version, so nothing can be compared. Run it on the live version."
    if not one.has_live and one.failed_must_pass:
        return f"{name}: {_names(one.failed_must_pass)} must pass and did not."
    if one.broken_must_pass:
        return f"{name}: {_names(one.broken_must_pass)} must pass, did on the live version, and no longer does."
    if one.live_score is not None and one.score < one.live_score - tolerance - EPSILON:
        return (
            f"{name} scores {one.score:.1%}, the live version {one.live_score:.1%}; "
            f"{tolerance:.1%} less would be tolerated. Improve the agent."
        )
    return ""


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
