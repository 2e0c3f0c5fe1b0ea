"""The gate: missing counts as fail, no must-pass case falls, no score below the live version's."""

from dataclasses import replace
from typing import Any

import pytest

from agentversions.core.gate import SuiteEvidence, decide

GOOD = SuiteEvidence(
    "hours", "Opening hours", 4, 10, run=7, run_state="done", score=0.9, has_live=True, live_run=5, live_score=0.9
)


def test_the_gate_opens_when_every_suite_is_as_good_as_live() -> None:
    decision = decide((GOOD, replace(GOOD, suite="b")))
    assert decision.is_open
    assert decision.words == ""
    assert decide(()).is_open


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run": None, "score": None}, "has not been run to its end on exactly this configuration"),
        ({"cases": 0}, "has no cases"),
        ({"score": None}, "has not been run to its end"),
        ({"undecided": 2}, "left 2 of 10 cases without a verdict"),
        ({"live_run": None, "live_score": None}, "has not been run on the live version"),
        ({"broken_must_pass": ("a", "b")}, "“a”, “b” must pass, did on the live version, and no longer does"),
        (
            {"has_live": False, "live_run": None, "live_score": None, "failed_must_pass": ("a",)},
            "must pass and did not",
        ),
        ({"score": 0.87}, "scores 87.0%, the live version 90.0%"),
    ],
)
def test_what_holds_the_gate_shut_is_said(change: dict[str, Any], words: str) -> None:
    decision = decide((GOOD, replace(GOOD, suite="bad", **change)), tolerance=0.02)
    assert not decision.is_open
    assert [finding.suite for finding in decision.findings] == ["bad"]
    assert words in decision.words


def test_the_tolerance_counts_to_its_edge_and_a_first_version_needs_no_live_one() -> None:
    assert decide((replace(GOOD, score=0.88),), tolerance=0.02).is_open
    assert not decide((replace(GOOD, score=0.88),)).is_open
    first = replace(GOOD, has_live=False, live_run=None, live_score=None, score=0.1)
    assert decide((first,)).is_open
    # A case that failed on the live version too may go on failing.
    assert decide((replace(GOOD, failed_must_pass=("a",)),)).is_open
