"""The facts a service may refuse with. Each message is a sentence for the reader that says what to do."""

from typing import TYPE_CHECKING, Any

from agentversions.core.merging import Conflict
from agentversions.core.problems import Problem
from agentversions.core.release import Missing

if TYPE_CHECKING:
    from agentversions.models import AgentVersion


class Refused(Exception):
    """Base of everything a service refuses for a reason that the reader can do something about."""

    @property
    def members(self) -> dict[str, Any]:
        """What a program needs to go on, beside the sentence; apps above add theirs."""
        return {}


class FieldRefused(Refused):
    """Base of what is refused because of one field; `field` names what to change, empty for the whole."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field

    @property
    def members(self) -> dict[str, Any]:
        """The field that is wrong."""
        return {"errors": [{"path": self.field, "detail": str(self)}]} if self.field else {}


class NotAllowed(Refused):
    """The actor's roles do not allow it."""


class AgentArchived(Refused):
    """The agent was put away; bring it back first."""


class AgentInUse(Refused):
    """Something still routes to the agent; `uses` lists it in words."""

    def __init__(self, message: str, uses: tuple[str, ...]) -> None:
        super().__init__(message)
        self.uses = uses


class SlugTaken(Refused):
    """Another agent or library entry has this slug."""


class DraftMoved(Refused):
    """Somebody else saved the draft in between; `digest` is where it stands now."""

    def __init__(self, message: str, digest: str) -> None:
        super().__init__(message)
        self.digest = digest


class EditsConflict(Refused):
    """Both sides changed the same fields since `base`; nothing was saved."""

    def __init__(self, conflicts: tuple[Conflict, ...], digest: str) -> None:
        super().__init__("Somebody else changed the same field. Choose which text stays.")
        self.conflicts = conflicts
        self.digest = digest


class NotPublishable(Refused):
    """Problems that must be put right before the draft can be published."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


class NameMissing(Refused):
    """A version needs a name."""


class NothingToPublish(Refused):
    """The draft is identical to a version; publishing again needs a yes."""

    def __init__(self, version: "AgentVersion") -> None:
        super().__init__(f"The draft is identical to {version} “{version.name}”. Publish it again only if you mean to.")
        self.version = version


class PublishedMeanwhile(Refused):
    """Somebody published a newer version than the one the publisher saw."""

    def __init__(self, version: "AgentVersion") -> None:
        super().__init__(
            f"{version} “{version.name}” was just published by {version.created_by}. "
            "Look at what still differs from it, then decide."
        )
        self.version = version


class UnknownVersion(Refused):
    """The agent has no such version."""


class NotLive(Refused):
    """The agent has no live version yet."""


class ReasonMissing(Refused):
    """This needs a reason."""


class TokenRefused(Refused):
    """A token that cannot be made as asked; the message says what to change."""


class HistoryDiffers(Refused):
    """What is there already is not the beginning of the history that is imported, or the history cannot be read."""


class LibraryMoved(Refused):
    """Somebody else saved a newer revision of the library entry in between."""


class NameClash(Refused):
    """The draft has a tool or knowledge base of this name already."""


class NoSuchTool(Refused):
    """The draft has no tool of this name."""


class NoUpdate(Refused):
    """The library has nothing newer than the draft."""


class RoutesFrozen(Refused):
    """A freeze window is open, and the actor is no admin, or gave no reason."""


class FreezeRefused(FieldRefused):
    """A freeze window that cannot be made or lifted as asked."""


class NotReady(Refused):
    """The version lacks what its agent asks for before callers hear it; `missing` lists it."""

    def __init__(self, version: "AgentVersion", missing: tuple[Missing, ...]) -> None:
        super().__init__(f"{version} may not go to callers yet. {' '.join(one.words for one in missing)}")
        self.version = version
        self.missing = missing

    @property
    def members(self) -> dict[str, Any]:
        """What is missing, each by its kind, its suite (if it is one) and its words."""
        return {
            "missing": [
                {"kind": one.kind.value, "suite": one.suite or None, "detail": one.words} for one in self.missing
            ]
        }


class RulesRefused(FieldRefused):
    """What an agent asks of its versions cannot be set like this."""


class RequestRefused(FieldRefused):
    """A request for approval, or a comment on one, that cannot be made as it is."""


class RequestOpen(Refused):
    """Somebody asked already, and it still waits; `request` is its number."""

    def __init__(self, message: str, request: int) -> None:
        super().__init__(message)
        self.request = request

    @property
    def members(self) -> dict[str, Any]:
        """The request that is open."""
        return {"request": self.request}


class RequestOver(Refused):
    """The request has ended already."""


class RequestMoved(Refused):
    """What is live, or the version, is not what the approver looked at."""


class AlreadyDecided(Refused):
    """This person decided on the request before; everybody decides once."""


class OwnWork(NotAllowed):
    """Nobody approves, overrides or reviews what they did themselves."""
