"""The facts a service of Deploy may refuse with. Each message is a sentence that says what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentversions.core.reading import FieldError
from agentversions.services.errors import FieldRefused, Refused

if TYPE_CHECKING:
    from channels.models import Channel, FlagRevision, Rollout


class UnknownChannel(Refused):
    """There is no such number or chat channel."""


class ChannelRefused(FieldRefused):
    """A channel that cannot be made or changed as asked."""


class RouteRefused(Refused):
    """A route that cannot be stored; `problems` are (variant's index or None for the whole, sentence)."""

    def __init__(self, problems: list[tuple[int | None, str]]) -> None:
        super().__init__(" ".join(message for _, message in problems))
        self.problems = problems

    @property
    def members(self) -> dict[str, Any]:
        """Each problem at its variant."""
        places = ((f"variants[{index}]" if index is not None else "", words) for index, words in self.problems)
        return {"errors": [{"path": path, "detail": words} for path, words in places]}


class RouteMoved(Refused):
    """Somebody else saved this channel's route in between; `channel` is as it stands now."""

    def __init__(self, channel: "Channel") -> None:
        super().__init__(
            f"{channel.route_changed_by} changed what answers {channel} in between: now {channel.route}. "
            "Look at it, then save yours again or leave it."
        )
        self.channel = channel

    @property
    def members(self) -> dict[str, Any]:
        """Where the route stands now."""
        return {"digest": self.channel.route_id}


class LiveMoved(Refused):
    """Another version of the agent became live in between."""


class NotServing(Refused):
    """The agent's edits reach callers at once, so there is nothing to apply."""


class BatchRefused(Refused):
    """A change of many channels that cannot be made as it was shown; nothing was changed."""


class ScheduleRefused(FieldRefused):
    """A planned change that cannot be made or cancelled as asked."""


class ImportRefused(Refused):
    """A file of numbers that cannot be read as a whole."""


class RolloutRefused(Refused):
    """A rollout that cannot be started as asked; `problems` say what is wrong, each at its field."""

    def __init__(self, problems: tuple[FieldError, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems

    @classmethod
    def at(cls, field: str, words: str) -> "RolloutRefused":
        """One problem."""
        return cls((FieldError(field, words),))

    @property
    def members(self) -> dict[str, Any]:
        """Each problem at its field."""
        return {"errors": [{"path": problem.path, "detail": problem.message} for problem in self.problems]}


class RolloutOpen(Refused):
    """The agent has a rollout that is not over; `rollout` is that one."""

    def __init__(self, rollout: "Rollout") -> None:
        state = rollout.value.state.word
        super().__init__(
            f"The rollout of {rollout.version} is not over: it is {state}. Promote it, roll it back or cancel it first."
        )
        self.rollout = rollout

    @property
    def members(self) -> dict[str, Any]:
        """The one that is open."""
        return {"rollout": self.rollout.pk}


class RolloutMoveRefused(Refused):
    """A move that the rollout's state does not allow."""


class RolloutMoved(Refused):
    """The rollout moved since it was looked at; `rollout` is as it stands now."""

    def __init__(self, rollout: "Rollout") -> None:
        super().__init__(
            f"The rollout moved meanwhile: it is {rollout.value.state.word} now. Look at it again, then decide."
        )
        self.rollout = rollout


class UnknownFlag(Refused):
    """There is no flag of this key."""


class FlagRefused(Refused):
    """A flag that cannot be saved as asked; `errors` name each field that is wrong (`rules.0.share`)."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = tuple(errors)

    @property
    def members(self) -> dict[str, Any]:
        """Each field that is wrong."""
        return {"errors": [{"path": error.path, "detail": error.message} for error in self.errors]}


class FlagMoved(Refused):
    """Somebody else saved this flag in between; `revision` is how it stands now."""

    def __init__(self, revision: "FlagRevision") -> None:
        super().__init__(
            f"{revision.created_by} changed this flag in between: revision {revision.number} is the newest now. "
            "Look at it, then save yours again or leave it."
        )
        self.revision = revision

    @property
    def members(self) -> dict[str, Any]:
        """The revision that stands now."""
        return {"revision": self.revision.number}
