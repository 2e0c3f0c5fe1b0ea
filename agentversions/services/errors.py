"""The facts a service may refuse with. Each message is a sentence for the reader that says what to do."""

from typing import TYPE_CHECKING, Any

from agentversions.core.merging import Conflict
from agentversions.core.problems import Problem

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
