"""Groups the saved states of a draft by sitting: one person, no longer pause than a sitting allows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar


class Saved(Protocol):
    """Anything that somebody saved at some moment."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def author_id(self) -> int | None:
        """Who."""


S = TypeVar("S", bound=Saved)


def group_by_sitting(states: Sequence[S], pause: timedelta) -> tuple[tuple[S, ...], ...]:
    """The states (newest first) in runs of one author with less than `pause` between one save and the next."""
    groups: list[list[S]] = []
    for state in states:
        if groups and groups[-1][-1].author_id == state.author_id and groups[-1][-1].at - state.at < pause:
            groups[-1].append(state)
        else:
            groups.append([state])
    return tuple(tuple(group) for group in groups)
