"""Where a rollout stands, and how it may move: one table, and one function that says why a move is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a rollout stands."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    UNHEALTHY = "unhealthy"
    HELD = "held"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing leads on from here."""
        return self in (State.PROMOTED, State.ROLLED_BACK, State.CANCELLED)

    @property
    def splits_calls(self) -> bool:
        """Whether callers get the version. Pausing stops the judge, not the split: nobody is moved back and forth.
        An unhealthy rollout gives it to nobody: calls of which nothing is heard may be calls that fail."""
        return self in (State.RUNNING, State.PAUSED, State.HELD)

    @property
    def word(self) -> str:
        """`rolled back`."""
        return self.value.replace("_", " ")


class Move(StrEnum):
    """What can be done to a rollout."""

    START = "start"
    ADVANCE = "advance"
    PAUSE = "pause"
    RESUME = "resume"
    FIND_UNHEALTHY = "find_unhealthy"
    HOLD = "hold"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    CANCEL = "cancel"


class By(StrEnum):
    """Who moves a rollout: a person, the judge (from metrics), or the clock (at the moment it is planned for)."""

    PERSON = "person"
    JUDGE = "judge"
    CLOCK = "clock"


@dataclass(frozen=True)
class Way:
    """Where a move leads, and who may make it."""

    to: State
    by: frozenset[By]


_PERSON = frozenset({By.PERSON})
_JUDGE = frozenset({By.JUDGE})
_PERSON_OR_JUDGE = _PERSON | _JUDGE

WAYS: Mapping[tuple[State, Move], Way] = {
    (State.SCHEDULED, Move.START): Way(State.RUNNING, frozenset({By.PERSON, By.CLOCK})),
    # The clock cancels what it could not start: nobody expects it days later.
    (State.SCHEDULED, Move.CANCEL): Way(State.CANCELLED, frozenset({By.PERSON, By.CLOCK})),
    (State.RUNNING, Move.ADVANCE): Way(State.RUNNING, _PERSON_OR_JUDGE),
    (State.RUNNING, Move.PAUSE): Way(State.PAUSED, _PERSON),
    (State.RUNNING, Move.FIND_UNHEALTHY): Way(State.UNHEALTHY, _JUDGE),
    (State.RUNNING, Move.HOLD): Way(State.HELD, _PERSON_OR_JUDGE),
    (State.RUNNING, Move.PROMOTE): Way(State.PROMOTED, _PERSON_OR_JUDGE),
    (State.RUNNING, Move.ROLL_BACK): Way(State.ROLLED_BACK, _PERSON_OR_JUDGE),
    (State.RUNNING, Move.CANCEL): Way(State.CANCELLED, _PERSON),
    (State.PAUSED, Move.RESUME): Way(State.RUNNING, _PERSON),
    (State.PAUSED, Move.PROMOTE): Way(State.PROMOTED, _PERSON),
    (State.PAUSED, Move.ROLL_BACK): Way(State.ROLLED_BACK, _PERSON),
    (State.PAUSED, Move.CANCEL): Way(State.CANCELLED, _PERSON),
    (State.UNHEALTHY, Move.RESUME): Way(State.RUNNING, _PERSON),
    (State.UNHEALTHY, Move.PROMOTE): Way(State.PROMOTED, _PERSON),
    (State.UNHEALTHY, Move.ROLL_BACK): Way(State.ROLLED_BACK, _PERSON),
    (State.UNHEALTHY, Move.CANCEL): Way(State.CANCELLED, _PERSON),
    (State.HELD, Move.RESUME): Way(State.RUNNING, _PERSON),
    (State.HELD, Move.PROMOTE): Way(State.PROMOTED, _PERSON),
    # While it waits for a person callers still get the version, so harm still ends it.
    (State.HELD, Move.ROLL_BACK): Way(State.ROLLED_BACK, _PERSON_OR_JUDGE),
    (State.HELD, Move.CANCEL): Way(State.CANCELLED, _PERSON),
}
"""Every allowed move; what is not here is refused."""

_WHAT_TO_DO = {
    State.SCHEDULED: "The rollout has not started yet. Start it, or cancel it.",
    State.RUNNING: "The rollout is running already.",
    State.PAUSED: "The rollout is paused. Resume it first, or promote it, roll it back or cancel it.",
    State.UNHEALTHY: "The rollout is unhealthy: its figures cannot be trusted. Find out why, then resume it, "
    "promote it, roll it back or cancel it.",
    State.HELD: "The rollout is held: it waits for a person. Resume it for as long again, promote it, "
    "roll it back or cancel it.",
}


class MoveRefused(ValueError):
    """A move that is not allowed; the message says why, and what is."""


def refusal(state: State, move: Move, *, by: By, is_last_step: bool = False) -> str:
    """Why this move is not allowed, as a sentence; empty when it is allowed."""
    if state.is_over:
        return f"The rollout is over: it was {state.word}. Start a new one."
    if move == Move.FIND_UNHEALTHY and by != By.JUDGE:
        return "Only the judge finds a rollout unhealthy. Pause it, or hold it."
    way = WAYS.get((state, move))
    if way is None:
        return _WHAT_TO_DO[state]
    if by not in way.by:
        return _not_by(by, state)
    if move == Move.ADVANCE and is_last_step:
        return "The rollout is at its last step. Promote it, or roll it back."
    if move == Move.PROMOTE and by == By.JUDGE and not is_last_step:
        return "The judge promotes from the last step only. Let it advance first."
    return ""


def after(state: State, move: Move, *, by: By, is_last_step: bool = False) -> State:
    """Where the move leads. Raises MoveRefused."""
    words = refusal(state, move, by=by, is_last_step=is_last_step)
    if words:
        raise MoveRefused(words)
    return WAYS[state, move].to


def moves_from(state: State, *, by: By, is_last_step: bool = False) -> tuple[Move, ...]:
    """The moves that are allowed here, in the order of `Move`: the buttons of the page."""
    return tuple(move for move in Move if not refusal(state, move, by=by, is_last_step=is_last_step))


def _not_by(by: By, state: State) -> str:
    if by == By.CLOCK:
        return "The clock only starts what is scheduled, or calls it off. A person or the judge decides the rest."
    return f"The judge does not do this while the rollout is {state.word}. A person decides."
