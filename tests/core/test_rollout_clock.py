"""When a rollout's times began: the step since it advanced, the longest time since it was resumed."""

from datetime import UTC, datetime, timedelta

from channels.core.rollout_clock import Moved, clock_of
from channels.core.rollout_states import Move
from channels.core.rollout_steps import Preset, RolloutPlan, preset_steps

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
PLAN = RolloutPlan("clinic", 8, 7, "salt", preset_steps(Preset.BALANCED))


def after(*moves: tuple[Move, int]) -> list[Moved]:
    """Moves, each so many hours after the start."""
    return [Moved(move, START + timedelta(hours=hours)) for move, hours in moves]


def test_nothing_has_begun_before_the_start() -> None:
    assert clock_of([]) is None
    assert clock_of(after((Move.CANCEL, 0))) is None


def test_a_step_lasts_since_it_advanced_and_pausing_does_not_change_that() -> None:
    clock = clock_of(after((Move.START, 0), (Move.ADVANCE, 3), (Move.PAUSE, 4)))
    assert clock is not None
    assert clock.started_at == clock.counted_since == START
    assert clock.soaked_at(PLAN, 1) == START + timedelta(hours=5)
    assert clock.held_at(PLAN) == START + timedelta(days=30)


def test_resuming_counts_the_longest_time_anew() -> None:
    clock = clock_of(after((Move.START, 0), (Move.HOLD, 720), (Move.RESUME, 800)))
    assert clock is not None
    assert (clock.started_at, clock.step_since) == (START, START)
    assert clock.held_at(PLAN) == START + timedelta(hours=800, days=30)
