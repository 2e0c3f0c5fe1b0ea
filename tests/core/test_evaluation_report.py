"""The report of an evaluation: what the comment of a pull request says, and that nothing in it becomes markup."""

import re

from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.evaluations.report import (
    CaseLine,
    Report,
    SuiteReport,
    first_reason,
    plain,
    report_lines,
    report_markdown,
)


def report(**fields: object) -> Report:
    suite = {
        "suite": "front-desk",
        "name": "Front desk",
        "revision": 4,
        "run": 31,
        "live_run": 30,
        "cases": 3,
        "passed": 1,
        "failed": 2,
        "undecided": 0,
        "score": 1 / 3,
        "live_score": 1.0,
        "lines": (CaseLine(name="hours", kind="broken", must_pass=True, reason="“no” does not contain it."),),
        "more": 1,
        "finding": "It fell.",
        **fields,
    }
    return Report(agent="clinic", name="Clinic", digest="ab" * 32, suites=(SuiteReport.model_validate(suite),))


def test_a_terminal_shows_scores_flips_and_why_the_gate_is_shut() -> None:
    assert list(report_lines(report())) == [
        "clinic ababababab",
        "  Front desk, revision 4, run 31: 33.3% (live 100.0%), 1 passed, 2 failed",
        "    pass → fail: hours: “no” does not contain it.",
        "    and 1 more",
        "    It fell.",
    ]


def test_markdown_is_a_table_with_links_to_the_runs() -> None:
    text = "\n".join(report_markdown(report(), "https://x.example/runs/{}".format))
    assert text.startswith("### Clinic: the gate is shut\n")
    assert "**Front desk**, revision 4, [run 31](https://x.example/runs/31): 33.3% (live 100.0%)" in text
    assert "\n> It fell.\n" in text
    assert "| hours (must pass) | **pass → fail** | “no” does not contain it. |" in text
    assert "\nand 1 more\n" in text


def test_what_was_not_run_is_said_and_an_open_gate_too() -> None:
    text = "\n".join(report_markdown(report(run=None, score=None, lines=(), more=0, finding=""), str))
    assert "### Clinic: the gate is open" in text
    assert "not run: no score" in text


@given(st.text(max_size=60))
def test_no_text_is_taken_for_markup_a_tag_a_link_or_a_mention(text: str) -> None:
    said = plain(text)
    assert not set(re.sub(r"&#\d+;", "", said)) & set("<>&@`*_[]|\\#~$^{}=\n\r")
    assert "://" not in said
    assert not re.search(r"&#64;(?!\u200b)", said)


def test_a_reason_is_the_first_expectation_that_was_not_met_and_short() -> None:
    checks = [{"outcome": "pass", "reason": "fine"}, {"outcome": "fail", "reason": "x" * 300}]
    assert first_reason("", checks) == "x" * 199 + "…"
    assert first_reason("The endpoint answered 500.", checks) == "The endpoint answered 500."
