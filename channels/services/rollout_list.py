"""Rollouts as their pages show them: the list, one with its steps and moves, the line on an agent's page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.core.rollout_clock import Moved, Standing, standing
from channels.core.rollout_states import By, Move, State
from channels.core.rollout_steps import Arm, in_words
from channels.core.rollout_words import consequence, what, who
from channels.core.shares import percent
from channels.models import Rollout, RolloutMove, RoutedCall
from channels.models.rollouts import OVER

from .rollouts import allowed_moves

MOST_COUNTED = 10_000
"""Calls of a step that are counted; beyond that the page says “more than”."""


@dataclass(frozen=True)
class ShownStep:
    """One step: `place` is `passed`, `now` or `later`; `since` when it began, `calls` what the canary got in it, and
    `soaked_at` when its soak time is over, while it is the one in force."""

    share: str
    margin: float
    soak: str
    place: str
    since: datetime | None
    calls: int | None
    soaked_at: datetime | None

    @property
    def has_many(self) -> bool:
        """Whether there are more calls than were counted."""
        return self.calls is not None and self.calls > MOST_COUNTED


@dataclass(frozen=True)
class ShownMove:
    """A move as people read it."""

    row: RolloutMove
    what: str
    who: str
    consequence: str


@dataclass(frozen=True)
class ShownRollout:
    """A rollout with everything its page shows. `seen` is the newest move's key, 0 before the first."""

    rollout: Rollout
    steps: list[ShownStep]
    moves: list[ShownMove]
    buttons: tuple[Move, ...]
    held_at: datetime | None
    longest: str
    seen: int


def open_rollouts(*, agent: str = "", state: str = "") -> list[Rollout]:
    """Those that are not over, the newest first."""
    return list(_found(agent, state).exclude(state__in=OVER))


def past_rollouts(*, agent: str = "", state: str = "") -> Any:
    """Those that are over, the newest first, as a query to be paged."""
    return _found(agent, state).filter(state__in=OVER)


def count_open() -> int:
    """How many are not over: the badge of the navigation."""
    return Rollout.objects.exclude(state__in=OVER).count()


def list_rollouts(*, agent: str = "", state: str = "", below: int | None = None) -> Any:
    """All of them, the newest first, as a query; `below` goes on after one."""
    return _found(agent, state).filter(**({"pk__lt": below} if below else {}))


def find_rollout(number: int) -> Rollout | None:
    """A rollout with everything its page shows."""
    found: Rollout | None = _found("", "").filter(pk=number).first()
    return found


def shares_by_version(agent: Agent) -> dict[int, str]:
    """Which of an agent's versions is rolled out now, with its share in per cent."""
    rows = Rollout.objects.filter(agent=agent).exclude(state__in=OVER).select_related("version")
    return {rollout.version.number: percent(rollout.value.share) for rollout in rows}


def show_rollout(rollout: Rollout) -> ShownRollout:
    """One rollout as its page shows it."""
    rows = list(rollout.moves.order_by("id").select_related("actor", "deployment"))
    moves = (Moved(Move(row.move), State(row.state), row.step, row.share, row.at) for row in rows)
    place = standing(moves, database_now())
    is_running = State(rollout.state) == State.RUNNING
    return ShownRollout(
        rollout,
        _steps(rollout, rows, place),
        [_shown(rollout, row) for row in reversed(rows)],
        allowed_moves(rollout),
        place.held_at(rollout.plan) if place and is_running else None,
        in_words(rollout.plan.max_duration_s),
        rows[-1].pk if rows else 0,
    )


def _found(agent: str, state: str) -> Any:
    found = Rollout.objects.select_related("agent", "version", "baseline", "created_by").order_by("-id")
    if agent:
        found = found.filter(agent__slug=agent)
    return found.filter(state=state) if state else found


def _steps(rollout: Rollout, rows: list[RolloutMove], place_of: Standing | None) -> list[ShownStep]:
    value = rollout.value
    began = {row.step: row.at for row in rows if row.move in {Move.START, Move.ADVANCE}}
    is_promoted = value.state == State.PROMOTED
    shown = []
    for index, step in enumerate(value.plan.steps):
        place = "later"
        if place_of is not None and index <= value.step:
            place = "passed" if index < value.step or is_promoted else "now"
        is_now = place == "now" and not value.state.is_over
        shown.append(
            ShownStep(
                percent(step.share),
                step.margin,
                in_words(step.soak_s),
                place,
                began.get(index),
                _calls(rollout, began[index]) if is_now else None,
                place_of.soaked_at(value.plan) if place_of and is_now and value.state == State.RUNNING else None,
            )
        )
    return shown


def _calls(rollout: Rollout, since: datetime) -> int:
    routed = RoutedCall.objects.filter(rollout=rollout, arm=Arm.CANARY, at__gte=since)
    return routed[: MOST_COUNTED + 1].count()


def _shown(rollout: Rollout, row: RolloutMove) -> ShownMove:
    kind = Move(row.move)
    words = consequence(kind, version=rollout.version.number, baseline=rollout.baseline.number, share=row.share)
    return ShownMove(row, what(kind, share=row.share), who(By(row.by), str(row.actor) if row.actor else None), words)
