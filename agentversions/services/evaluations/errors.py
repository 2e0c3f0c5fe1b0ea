"""What the services of evaluations refuse, each a sentence that says what to do."""

from typing import Any

from agentversions.services.errors import FieldRefused, Refused


class SuiteRefused(FieldRefused):
    """A suite that cannot be made or changed as asked."""


class SuiteMoved(Refused):
    """Somebody else changed the suite in between."""


class CasesRefused(Refused):
    """Cases of a file that cannot be kept; nothing was. `problems` names each with what to do."""

    def __init__(self, message: str, problems: tuple[str, ...]) -> None:
        super().__init__(message)
        self.problems = problems

    @property
    def members(self) -> dict[str, Any]:
        """Each problem."""
        return {"errors": [{"path": "", "detail": problem} for problem in self.problems]}


class RunRefused(FieldRefused):
    """A run that cannot be started as asked."""


class NoEndpoint(RunRefused):
    """No endpoint answers for the provider in this environment."""


class MarkRefused(FieldRefused):
    """A mark that cannot be kept."""
