"""Every state and every move of a rollout: where it leads, who may make it, and what a refusal says."""

from itertools import product

import pytest

from channels.core.rollout_states import By, Move, MoveRefused, State, after, moves_from, refusal

P, J, C = By.PERSON, By.JUDGE, By.CLOCK
ALLOWED: dict[tuple[str, str], tuple[str, set[By]]] = {
    ("scheduled", "start"): ("running", {P, C}),
    ("scheduled", "cancel"): ("cancelled", {P, C}),
    ("running", "advance"): ("running", {P, J}),
    ("running", "pause"): ("paused", {P}),
    ("running", "find_unhealthy"): ("unhealthy", {J}),
    ("running", "hold"): ("held", {P, J}),
    ("running", "promote"): ("promoted", {P, J}),
    ("running", "roll_back"): ("rolled_back", {P, J}),
    ("running", "cancel"): ("cancelled", {P}),
    ("paused", "resume"): ("running", {P}),
    ("paused", "promote"): ("promoted", {P}),
    ("paused", "roll_back"): ("rolled_back", {P}),
    ("paused", "cancel"): ("cancelled", {P}),
    ("unhealthy", "resume"): ("running", {P}),
    ("unhealthy", "promote"): ("promoted", {P}),
    ("unhealthy", "roll_back"): ("rolled_back", {P}),
    ("unhealthy", "cancel"): ("cancelled", {P}),
    ("held", "resume"): ("running", {P}),
    ("held", "promote"): ("promoted", {P}),
    ("held", "roll_back"): ("rolled_back", {P, J}),
    ("held", "cancel"): ("cancelled", {P}),
}
NOT_LAST = {("running", "promote", J)}
"""Allowed at the last step only."""
NOT_AT_LAST = {("running", "advance", P), ("running", "advance", J)}


@pytest.mark.parametrize(("state", "move", "by", "last"), list(product(State, Move, By, (False, True))))
def test_every_state_and_move(state: State, move: Move, by: By, last: bool) -> None:
    to, whose = ALLOWED.get((state.value, move.value), ("", set()))
    key = (state.value, move.value, by)
    allowed = by in whose and not (key in NOT_LAST and not last) and not (key in NOT_AT_LAST and last)
    words = refusal(state, move, by=by, is_last_step=last)
    assert (words == "") == allowed
    if allowed:
        assert after(state, move, by=by, is_last_step=last) == to
    else:
        assert words.endswith(".")
        with pytest.raises(MoveRefused) as refused:
            after(state, move, by=by, is_last_step=last)
        assert str(refused.value) == words


@pytest.mark.parametrize(
    ("state", "move", "by", "last", "words"),
    [
        ("promoted", "roll_back", P, True, "over: it was promoted"),
        ("rolled_back", "resume", P, False, "over: it was rolled back"),
        ("cancelled", "start", C, False, "over: it was cancelled"),
        ("scheduled", "promote", P, False, "has not started"),
        ("running", "start", P, False, "running already"),
        ("running", "resume", P, False, "running already"),
        ("paused", "advance", P, False, "Resume it first"),
        ("unhealthy", "advance", P, False, "Find out why"),
        ("held", "advance", P, False, "for as long again"),
        ("running", "advance", J, True, "last step. Promote it"),
        ("running", "promote", J, False, "from the last step only"),
        ("unhealthy", "promote", J, True, "A person decides"),
        ("paused", "roll_back", J, False, "judge does not do this while the rollout is paused"),
        ("running", "promote", C, True, "only starts what is scheduled"),
        ("held", "find_unhealthy", P, False, "Only the judge"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(state: str, move: str, by: By, last: bool, words: str) -> None:
    assert words in refusal(State(state), Move(move), by=by, is_last_step=last)


def test_callers_get_the_version_from_the_start_until_the_end_and_never_outside() -> None:
    assert {state for state in State if state.splits_calls} == {"running", "paused", "held"}
    assert {state for state in State if state.is_over} == {"promoted", "rolled_back", "cancelled"}
    assert all(not moves_from(state, by=by) for state in State if state.is_over for by in By)


def test_every_state_is_reached_and_every_open_one_can_be_left_by_a_person() -> None:
    reached = {State(to) for to, _ in ALLOWED.values()} | {State.SCHEDULED}
    assert reached == set(State)
    assert all(moves_from(state, by=P) for state in State if not state.is_over)


def test_the_buttons_of_a_running_rollout_change_at_its_last_step() -> None:
    before = moves_from(State.RUNNING, by=P)
    assert before == ("advance", "pause", "hold", "promote", "roll_back", "cancel")
    assert moves_from(State.RUNNING, by=P, is_last_step=True) == before[1:]
