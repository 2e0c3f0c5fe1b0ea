"""What keeps a version from callers, as a pure decision: the gate of evaluations, and the approvals that are needed."""

from dataclasses import dataclass
from enum import StrEnum

from .gate import GateDecision

MOST_APPROVALS = 2


class RequestState(StrEnum):
    """Where a request for approval stands; it begins open and ends once."""

    OPEN = "open"
    APPROVED = "approved"
    CHANGES = "changes"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"

    @property
    def label(self) -> str:
        """As people read it."""
        return {"changes": "Changes asked for", "overtaken": "Live without it"}.get(self.value, self.value.capitalize())


class Verdict(StrEnum):
    """What an approver may say of a request."""

    APPROVE = "approve"
    CHANGES = "changes"


class Lack(StrEnum):
    """The kinds of what may be missing."""

    SUITE = "suite"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that keeps a version from callers: its kind, the suite's slug (empty for approvals), what to do."""

    kind: Lack
    suite: str
    words: str

    @property
    def key(self) -> str:
        """Names it among others: `suite:opening-hours`, `approval`. An override is for exactly these."""
        return f"{self.kind}:{self.suite}" if self.suite else self.kind.value


def find_missing(gate: GateDecision, *, approvals_needed: int, approvals: int) -> tuple[Missing, ...]:
    """Everything that a version lacks: what holds the gate shut, then the approvals that were not given."""
    lacks = [Missing(Lack.SUITE, finding.suite, finding.message) for finding in gate.findings]
    left = approvals_needed - approvals
    if left > 0:
        had = f"{approvals} of {approvals_needed} were given" if approvals else "none was given"
        people = "one more person" if left == 1 and approvals else f"{left} {'person' if left == 1 else 'people'}"
        words = f"It needs the approval of {people} other than its author; {had}. Ask for approval."
        lacks.append(Missing(Lack.APPROVAL, "", words))
    return tuple(lacks)


def is_covered(missing: tuple[Missing, ...], overridden: frozenset[str]) -> bool:
    """Whether everything that is missing was overridden by its key; what came since is not."""
    return all(one.key in overridden for one in missing)
