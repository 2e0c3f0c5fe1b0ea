"""A rollout's moves become the time that it ran, without that in which it did not, and say when its times are over."""

from datetime import UTC, datetime, timedelta

from channels.core.rollout_clock import Moved, standing
from channels.core.rollout_states import Move, State
from channels.core.rollout_steps import Preset, RolloutPlan, preset_steps

PLAN = RolloutPlan("clinic", 8, 7, "salt", preset_steps(Preset.BALANCED))
BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def moved(move: Move, minutes: float, *, step: int = 0, state: State = State.RUNNING, share: int = 10_000) -> Moved:
    return Moved(move, state, step, share, after(minutes))


def test_nothing_stands_before_the_start() -> None:
    assert standing([], after(5)) is None
    assert standing([moved(Move.CANCEL, 1, state=State.CANCELLED, share=0)], after(5)) is None


def test_pauses_do_not_count() -> None:
    found = standing(
        [
            moved(Move.START, 0),
            moved(Move.PAUSE, 10, state=State.PAUSED),
            moved(Move.RESUME, 40),
            moved(Move.ADVANCE, 50, step=1, share=25_000),
        ],
        after(57),
    )
    assert found is not None
    assert (found.step, found.seconds_in_step, found.seconds) == (1, 7 * 60, 27 * 60)
    assert (found.since, found.is_anew) == (BEGAN, False)
    # Callers were split while it was paused too.
    assert [(share, since) for share, since, _ in found.periods] == [
        (10_000, after(0)), (10_000, after(10)), (10_000, after(40)), (25_000, after(50)),
    ]  # fmt: skip
    assert found.periods[-1][2] == after(57)


def test_a_hold_that_was_resumed_gives_the_longest_duration_again() -> None:
    moves = [moved(Move.START, 0), moved(Move.HOLD, 60, state=State.HELD), moved(Move.RESUME, 90)]
    found = standing(moves, after(95))
    assert found is not None
    assert (found.seconds_in_step, found.seconds) == (65 * 60, 5 * 60)
    held = standing(moves[:2], after(80))
    assert held is not None
    assert held.seconds == 60 * 60


def test_what_was_counted_before_it_was_unhealthy_is_not_trusted() -> None:
    found = standing(
        [
            moved(Move.START, 0),
            moved(Move.ADVANCE, 30, step=1, share=25_000),
            moved(Move.FIND_UNHEALTHY, 60, step=1, state=State.UNHEALTHY, share=0),
            moved(Move.RESUME, 100, step=1, share=25_000),
        ],
        after(110),
    )
    assert found is not None
    assert (found.step, found.seconds_in_step, found.seconds, found.since, found.is_anew) == (
        1,
        600,
        600,
        after(100),
        True,
    )
    assert found.periods == ((25_000, after(100), after(110)),)


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    found = standing([moved(Move.START, 0)], after(-3))
    assert found is not None
    assert (found.seconds, found.periods) == (0, ())


def test_its_times_are_over_later_by_as_long_as_it_was_paused() -> None:
    moves = [moved(Move.START, 0), moved(Move.PAUSE, 10, state=State.PAUSED), moved(Move.RESUME, 40)]
    for now in (41, 100):
        found = standing(moves, after(now))
        assert found is not None
        assert found.soaked_at(PLAN) == after(30) + timedelta(hours=2)
        assert found.held_at(PLAN) == after(30) + timedelta(days=30)
