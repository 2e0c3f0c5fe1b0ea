"""What a rollout's move is called: in the audit trail, in messages, in lists."""

from .rollout_states import By, Move
from .shares import percent

PAST = {
    Move.START: "started",
    Move.ADVANCE: "advanced",
    Move.PAUSE: "paused",
    Move.RESUME: "resumed",
    Move.FIND_UNHEALTHY: "found unhealthy",
    Move.HOLD: "held",
    Move.PROMOTE: "promoted",
    Move.ROLL_BACK: "rolled back",
    Move.CANCEL: "cancelled",
}
"""`rollout rolled back`."""


def who(by: By, name: str | None) -> str:
    """`ops`, `the judge`, `the clock`."""
    return name or {By.PERSON: "somebody", By.JUDGE: "the judge", By.CLOCK: "the clock"}[by]


def what(move: Move, *, share: int) -> str:
    """A move with where it led: `Advanced to 25 %`, `Rolled back`; `share` (of 100,000) is in force from then on."""
    word = PAST[move].capitalize()
    if move == Move.START:
        return f"{word} at {percent(share)} %"
    if move == Move.ADVANCE:
        return f"{word} to {percent(share)} %"
    return word


def consequence(move: Move, *, version: int, baseline: int, share: int) -> str:
    """What it means to callers, as a sentence."""
    if move == Move.PROMOTE:
        return f"V{version} is live for everybody."
    if not share:
        return f"Every caller gets V{baseline}."
    return f"{percent(share)} % of callers get V{version}, the others V{baseline}."
