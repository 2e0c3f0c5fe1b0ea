"""What the judge of a canary decides, in which order, and in which words."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.core.rollout_judging import Counts, Rule
from monitoring.core.canary_decision import Action, decide, simple_rule
from monitoring.core.canary_evidence import Labels, log_harm, log_ok
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.canary_policy import DAY, HOUR, PRESETS, Policy
from monitoring.core.canary_verdict import judge

from .canaries import seen

BALANCED = PRESETS["balanced"]
THRESHOLD = replace(BALANCED, rule=Rule.THRESHOLD)
SUCCESSES = replace(BALANCED, counts=Counts.SUCCESSES)
MONTH = 30 * DAY


@pytest.mark.parametrize(
    ("policy", "observed", "action", "share", "words"),
    [
        (BALANCED, seen((0, 0), (0, 0)), "continue", None, "Continue: about 89 more canary calls decide it."),
        (BALANCED, seen((3, 20), (40, 360)), "continue", None, "Continue: about 71 more canary calls decide it."),
        (
            BALANCED,
            seen((5, 45), (100, 900)),
            "advance",
            25_000,
            "Advance to 25 %: the canary fails less than 3 times as often as the stable version (evidence 30 of 20). "
            "The canary fails about 1.0 times as often as the stable version (95 %: 0.20 to 3.1).",
        ),
        (
            BALANCED,
            seen((5, 45), (100, 900), seconds_in_step=HOUR),
            "continue",
            None,
            "Continue: the step is passed once it has lasted 2 h, in 1 h.",
        ),
        (BALANCED, seen((0, 45), (49, 441)), "continue", None, "Continue: the next canary call may decide it."),
        (
            BALANCED,
            seen((17, 45), (100, 900)),
            "roll back",
            0,
            "Roll back: the canary fails 3.0 or more times as often as the stable version (95 %: 1.3 to 8.0). The "
            "evidence of harm is 490 of 100.",
        ),
        (
            BALANCED,
            seen((160, 160), (3_000, 3_000), step=2),
            "promote",
            100_000,
            "Promote: the canary fails less than 1.5 times as often as the stable version (evidence 353 of 20). The "
            "canary fails about 1.0 times as often as the stable version (95 %: 0.70 to 1.4).",
        ),
        (
            BALANCED,
            seen((545, 475), (10_000, 10_000), step=2),
            "continue",
            None,
            "Continue: the canary fails less than 1.5 times as often as the stable version, but to promote the best "
            "estimate must be 1.1 or less.",
        ),
        (
            BALANCED,
            seen((70, 60), (1_000, 1_000), step=2, seconds=MONTH),
            "hold",
            None,
            "Hold: after 30 days a person has to decide. The canary fails about 1.15 times as often as the stable "
            "version (95 %: 0.68 to 2.0). About 3,300 more canary calls decide it.",
        ),
        (
            BALANCED,
            seen((150, 9), (150, 90)),
            "unhealthy",
            None,
            "Paused, no verdict: 150 of 240 callers reached the canary where about 24 were expected: check how calls "
            "are routed and recorded.",
        ),
    ],
)
def test_the_action_and_its_words(
    policy: Policy, observed: Observations, action: str, share: int | None, words: str
) -> None:
    verdict = judge(policy, observed)
    assert (verdict.action, verdict.share) == (action, share)
    assert verdict.words == words


def test_the_order_of_decisions_is_unhealthy_then_harm_then_progress_then_hold() -> None:
    harmful = seen((60, 45), (100, 900), seconds=MONTH)
    assert decide(BALANCED, harmful).action == Action.ROLL_BACK
    broken = replace(harmful, callers=Labels.of({10_000: (900, 100)}))
    assert decide(BALANCED, broken).action == Action.UNHEALTHY
    assert decide(BALANCED, broken).log_harm > math.log(100)
    # Enough for the step at the last moment still passes it.
    assert decide(BALANCED, seen((5, 45), (100, 900), seconds=MONTH)).action == Action.ADVANCE
    assert decide(BALANCED, seen((1, 5), (20, 180), seconds=MONTH)).action == Action.HOLD


def test_a_step_asks_for_its_own_margin_and_least_number_of_calls() -> None:
    enough = {0: (50, 450), 1: (100, 300), 2: (200, 200)}
    for step, calls in enough.items():
        healthy = (0, 100) if step < 2 else (50, 130)
        observed = seen(healthy, (max(calls[0], healthy[0]), calls[1]), step=step)
        assert decide(BALANCED, observed).action in {Action.ADVANCE, Action.PROMOTE}, step
        fewer = replace(observed, canary=ArmCalls(calls[0] - 1, calls[0] - 1, healthy[0]))
        assert decide(BALANCED, fewer).action == Action.CONTINUE
    # Passing at 3 is not passing at 2.
    failures = {10_000: (5, 45)}
    assert log_ok(Labels.of(failures), 3.0) > math.log(20) > log_ok(Labels.of(failures), 2.0)


def test_a_crash_without_a_record_counts_as_a_failure_for_harm_but_not_against_it() -> None:
    observed = seen((2, 45), (60, 900))
    lossy = replace(observed, labels_or_missing=Labels.of({10_000: (30, 45)}))
    decision = decide(BALANCED, lossy)
    assert decision.action == Action.ROLL_BACK
    assert decision.log_harm_recorded < 0
    expected = (math.exp(log_harm(lossy.labels)) + math.exp(log_harm(lossy.labels_or_missing))) / 2
    assert math.exp(decision.log_harm) == pytest.approx(expected)
    assert decision.log_ok == log_ok(observed.labels, 3.0)
    assert "calls without an end counted as failed" in judge(BALANCED, lossy).words


def test_missing_ends_pause_a_rollout_when_they_are_many_or_differ_and_only_wait_when_it_may_be_chance() -> None:
    observed = seen((5, 45), (100, 900))
    many = replace(observed, canary=ArmCalls(130, 100, 5))
    assert decide(BALANCED, many).action == Action.UNHEALTHY
    assert judge(BALANCED, many).words == (
        "Paused, no verdict: The end of 30 of 130 calls of the canary never arrived: check how ends are sent."
    )
    both = replace(observed, stable=ArmCalls(1_000, 900, 45))
    assert decide(BALANCED, both).action == Action.UNHEALTHY
    few = replace(observed, canary=ArmCalls(107, 100, 5))
    assert decide(BALANCED, few).action == Action.CONTINUE
    assert judge(BALANCED, few).words == (
        "Continue: the end of 7 of 107 calls of the canary never arrived; no step is taken while more than 5 % are "
        "missing."
    )
    # 4 % missing is allowed, unless all of it is in one arm.
    some = replace(observed, canary=ArmCalls(104, 100, 5), stable=ArmCalls(936, 900, 45))
    assert decide(BALANCED, replace(some, missing=Labels.of({10_000: (4, 36)}))).action == Action.ADVANCE
    one_sided = replace(some, stable=ArmCalls(900, 900, 45), missing=Labels.of({10_000: (5, 0)}))
    assert decide(BALANCED, one_sided).action == Action.UNHEALTHY
    assert "look for calls that crash" in judge(BALANCED, one_sided).words


def test_a_silent_canary_is_never_promoted_and_found_within_some_calls() -> None:
    for calls in range(1, 60):
        silent = Observations(
            step=0,
            seconds_in_step=5 * HOUR,
            seconds=5 * HOUR,
            canary=ArmCalls(due=calls),
            stable=ArmCalls(9 * calls, 9 * calls, calls // 2),
            callers=Labels.of({10_000: (calls, 9 * calls)}),
            labels=Labels.of({10_000: (0, calls // 2)}),
            labels_or_missing=Labels.of({10_000: (calls, calls // 2)}),
            missing=Labels.of({10_000: (calls, 0)}),
        )
        assert decide(BALANCED, silent).action == (Action.CONTINUE if calls < 3 else Action.UNHEALTHY), calls


def test_where_most_calls_fail_successes_are_compared() -> None:
    """Labels are successes: the canary with few of them is harmful, the one with as many is not."""
    worse = seen((40, 700), (100, 900), canary=ArmCalls(100, 100, 60), stable=ArmCalls(900, 900, 200))
    assert decide(SUCCESSES, worse).action == Action.ROLL_BACK
    assert judge(SUCCESSES, worse).words.startswith(
        "Roll back: the stable version succeeds about 1.95 times as often as the canary"
    )
    alike = seen((50, 450), (125, 1_125), canary=ArmCalls(125, 125, 75), stable=ArmCalls(1_125, 1_125, 675))
    assert decide(SUCCESSES, alike).action == Action.ADVANCE
    # A missing call is no success already: it is not counted once more.
    assert decide(SUCCESSES, replace(alike, labels_or_missing=Labels.of({10_000: (500, 0)}))).action == Action.ADVANCE


@pytest.mark.parametrize(
    ("canary", "stable", "least", "said"),
    [
        ((100, 8), (900, 45), 100, Action.ROLL_BACK),
        ((100, 7), (1_000, 50), 100, Action.CONTINUE),
        ((100, 5), (1_000, 50), 100, Action.PROMOTE),
        ((1_000, 55), (1_000, 50), 100, Action.PROMOTE),
        ((1_000, 75), (1_000, 50), 100, Action.CONTINUE),
        ((1_000, 76), (1_000, 50), 100, Action.ROLL_BACK),
        ((99, 99), (900, 45), 100, Action.CONTINUE),
        ((99, 99), (900, 45), 1, Action.ROLL_BACK),
        ((5, 0), (45, 0), 1, Action.PROMOTE),
        ((5, 1), (45, 0), 1, Action.ROLL_BACK),
        ((5, 1), (0, 0), 1, Action.CONTINUE),
        ((0, 0), (50, 1), 0, Action.CONTINUE),
    ],
)
def test_the_simple_rule(canary: tuple[int, int], stable: tuple[int, int], least: int, said: Action) -> None:
    arms = [ArmCalls(calls, calls, failed) for calls, failed in (canary, stable)]
    assert simple_rule(*arms, least=least) == said


def test_the_mode_threshold_follows_the_simple_rule_and_every_verdict_says_what_that_would_do() -> None:
    bad, good, between = seen((8, 45), (100, 900)), seen((5, 45), (100, 900)), seen((7, 45), (100, 900))
    found = {name: judge(THRESHOLD, each) for name, each in (("bad", bad), ("good", good), ("between", between))}
    assert found["bad"].words == (
        "Roll back: 8 of 100 calls of the canary failed, 45 of 900 of the stable version: more than 1.5 times as often."
    )
    assert (found["good"].action, found["good"].share) == (Action.ADVANCE, 25_000)
    assert found["between"].words == (
        "Continue: 7 of 100 calls of the canary failed, 45 of 900 of the stable version: between 1.1 and 1.5 times as "
        "often."
    )
    early = judge(THRESHOLD, seen((4, 45), (60, 540)))
    assert early.words == "Continue: the simple rule needs 40 more calls of the canary."
    assert decide(THRESHOLD, seen((5, 50), (100, 1_000), step=2, callers=Labels())).action == Action.PROMOTE
    assert decide(THRESHOLD, replace(between, seconds=MONTH)).action == Action.HOLD
    assert decide(THRESHOLD, replace(bad, callers=Labels.of({10_000: (900, 100)}))).action == Action.UNHEALTHY
    assert judge(BALANCED, bad).action == Action.CONTINUE
    assert judge(BALANCED, bad).statistics.simple_rule == Action.ROLL_BACK


COUNTS = st.tuples(st.integers(0, 300), st.integers(0, 300))


@given(st.dictionaries(st.sampled_from([10_000, 25_000, 50_000]), COUNTS), st.integers(0, 2), st.booleans())
def test_another_failed_canary_call_never_helps_the_canary(
    counts: dict[int, tuple[int, int]], step: int, is_late: bool
) -> None:
    def decided(labels: Labels) -> Any:
        calls = ArmCalls(5_000, 5_000, int(labels.canary))
        return decide(
            BALANCED,
            Observations(step, DAY, MONTH if is_late else DAY, calls, calls, labels=labels, labels_or_missing=labels),
        )

    labels = Labels.of(counts)
    before, after = decided(labels), decided(labels.plus(Labels.of({BALANCED.steps[step].share: (1, 0)})))
    assert before.action != Action.ROLL_BACK or after.action == Action.ROLL_BACK
    assert before.is_passed or not after.is_passed
    assert after.log_harm > before.log_harm


@given(st.dictionaries(st.sampled_from([1_000, 10_000, 25_000, 50_000]), COUNTS), st.randoms(use_true_random=False))
def test_the_same_input_in_any_order_gives_the_same_bytes(counts: dict[int, tuple[int, int]], chance: Any) -> None:
    mixed = list(counts.items())
    chance.shuffle(mixed)
    texts = {
        judge(BALANCED, Observations(1, HOUR, DAY, labels=labels, labels_or_missing=labels)).as_json()
        for labels in (Labels.of(counts), Labels.of(dict(mixed)))
    }
    assert len(texts) == 1
    stored = json.loads(texts.pop())
    assert stored["seen"]["labels"]["counts"] == [[share, *counts[share]] for share in sorted(counts)]
    assert stored["statistics"]["harm_bar"] == 100


def test_another_process_with_other_hashes_writes_the_same_bytes() -> None:
    program = (
        "from tests.core.canaries import seen; from monitoring.core.canary_policy import PRESETS;"
        "from monitoring.core.canary_verdict import judge;"
        "print(judge(PRESETS['strict'], seen((9, 45), (99, 900))).as_json())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {f"{judge(PRESETS['strict'], seen((9, 45), (99, 900))).as_json()}\n".encode()}


def test_what_cannot_be_is_refused() -> None:
    for due, recorded, failed in ((1, 2, 0), (5, 3, 4), (1, 1, -1)):
        with pytest.raises(ValueError, match="Failed calls are recorded"):
            ArmCalls(due, recorded, failed)
    for step in (-1, 3):
        with pytest.raises(ValueError, match="has 3 steps"):
            judge(BALANCED, replace(seen((0, 0), (0, 0)), step=step))
