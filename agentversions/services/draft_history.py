"""Reads the history of an agent's draft: every saved state with who, when and why, grouped by sitting."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agentversions.core.sittings import group_by_sitting
from agentversions.models import Agent, Configuration

from .audit import SITTING

PAGE_SIZE = 100


@dataclass(frozen=True)
class DraftState:
    """One saved state: the history row's id, its configuration's digest, when, by whom, why; `before` is the digest it
    replaced, `version` the number of the newest version with exactly this configuration."""

    id: int
    digest: str
    at: datetime
    author_id: int | None
    author: str
    reason: str
    before: str
    version: int | None
    is_current: bool
    is_kept: bool


@dataclass(frozen=True)
class Sitting:
    """The states that one person saved without a long pause, newest first."""

    states: tuple[DraftState, ...]

    @property
    def author(self) -> str:
        """Who sat there."""
        return self.states[0].author

    @property
    def ended_at(self) -> datetime:
        """The last save."""
        return self.states[0].at

    @property
    def started_at(self) -> datetime:
        """The first save."""
        return self.states[-1].at

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was said about the saves, each once, newest first."""
        return tuple(dict.fromkeys(state.reason for state in self.states if state.reason))

    @property
    def has_current(self) -> bool:
        """Whether the draft stands at one of these states."""
        return any(state.is_current for state in self.states)


@dataclass(frozen=True)
class DraftHistoryPage:
    """A page of sittings, newest first; `older` is the history row to continue below, None at the end."""

    sittings: tuple[Sitting, ...]
    older: int | None


def list_draft_states(agent: Agent, *, below: int | None = None, size: int = PAGE_SIZE) -> DraftHistoryPage:
    """The newest states of the draft below a history row, in a fixed number of queries."""
    moves = agent.history.select_related("history_user").order_by("-history_id")
    if below is not None:
        moves = moves.filter(history_id__lt=below)
    rows = list(moves[: size + 1])
    shown = rows[:size]
    states = _states(agent, shown, rows[size:], has_newest=below is None)
    sittings = tuple(Sitting(group) for group in group_by_sitting(states, SITTING))
    return DraftHistoryPage(sittings, older=shown[-1].history_id if len(rows) > size else None)


def _states(agent: Agent, shown: list[Any], next_older: list[Any], *, has_newest: bool) -> tuple[DraftState, ...]:
    """The rows that moved the draft; filing or archiving an agent writes history too, and moves no draft."""
    digests = {row.draft_id for row in shown}
    versions = dict(
        agent.versions.filter(configuration_id__in=digests).order_by("number").values_list("configuration_id", "number")
    )
    kept = set(Configuration.objects.filter(digest__in=digests).values_list("digest", flat=True))
    states: list[DraftState] = []
    for row, older in zip(shown, [*shown[1:], *(next_older or [None])], strict=False):
        if older is not None and older.draft_id == row.draft_id:
            continue
        states.append(
            DraftState(
                id=row.history_id,
                digest=row.draft_id,
                at=row.history_date,
                author_id=row.history_user_id,
                author=str(row.history_user or "somebody"),
                reason=row.history_change_reason or "",
                before=older.draft_id if older is not None else "",
                version=versions.get(row.draft_id),
                is_current=has_newest and not states,
                is_kept=row.draft_id in kept,
            )
        )
    return tuple(states)
