"""What evaluations say of one configuration, for people at a terminal and in the comment of a pull request."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["broken", "mended", "fail", "invalid", "error"]
KINDS: dict[Kind, str] = {
    "broken": "pass → fail",
    "mended": "fail → pass",
    "fail": "fails",
    "invalid": "no verdict",
    "error": "no answer",
}
MOST_REASON = 200
MARKUP = re.compile(r"[^\w\s.,:;!?()%/'“”…–→-]|_|://|www\.")
"""What Markdown or HTML could take for its own. Everything else of a text stands as it is."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseLine(_Part):
    """A case that flipped against the live version, or that did not pass, and the first reason."""

    name: str
    kind: Kind
    must_pass: bool
    reason: str


class SuiteReport(_Part):
    """One suite: its newest finished run on this configuration and on the live version, None where there is none.

    `score` and `live_score` are weighted shares from 0 to 1. `lines`: cases that broke, that were mended, that did not
    pass; `more` of them are left out. `finding` says why the suite holds the gate shut, empty when it does not.
    """

    suite: str
    name: str
    revision: int
    run: int | None
    live_run: int | None
    cases: int
    passed: int
    failed: int
    undecided: int
    score: float | None
    live_score: float | None
    lines: tuple[CaseLine, ...]
    more: int
    finding: str


class Report(_Part):
    """Everything that the gate asks of one configuration of an agent, by its digest."""

    agent: str
    name: str
    digest: str
    suites: tuple[SuiteReport, ...]

    @property
    def is_open(self) -> bool:
        """Whether the gate lets this configuration through."""
        return not any(suite.finding for suite in self.suites)

    @property
    def words(self) -> str:
        """Everything that holds the gate shut."""
        return " ".join(suite.finding for suite in self.suites if suite.finding)


def report_lines(report: Report) -> Iterator[str]:
    """The report for a terminal."""
    yield f"{report.agent} {report.digest[:10]}"
    for suite in report.suites:
        yield f"  {suite.name}, revision {suite.revision}, {_run(suite.run)}: {_score(suite)}"
        for line in suite.lines:
            yield f"    {KINDS[line.kind]}: {line.name}{f': {line.reason}' if line.reason else ''}"
        if suite.more:
            yield f"    and {suite.more:,} more"
        if suite.finding:
            yield f"    {suite.finding}"


def report_markdown(report: Report, address: Callable[[int], str]) -> Iterator[str]:
    """The report as lines of Markdown, one table per suite; `address` gives the page of a run.

    Names and reasons come from cases and from models: nothing in them is taken for markup, a link or a mention.
    """
    state = "the gate is open" if report.is_open else "the gate is shut"
    yield f"### {plain(report.name)}: {state}"
    yield ""
    for suite in report.suites:
        run = f"[run {suite.run}]({address(suite.run)})" if suite.run else "not run"
        yield f"**{plain(suite.name)}**, revision {suite.revision}, {run}: {_score(suite)}"
        yield ""
        if suite.finding:
            yield f"> {plain(suite.finding)}"
            yield ""
        if suite.lines:
            yield "| Case | | Why |"
            yield "|---|---|---|"
            for line in suite.lines:
                kind = f"**{KINDS[line.kind]}**" if line.kind == "broken" else KINDS[line.kind]
                name = plain(line.name) + (" (must pass)" if line.must_pass else "")
                yield f"| {name} | {kind} | {plain(line.reason)} |"
            yield ""
        if suite.more:
            yield f"and {suite.more:,} more"
            yield ""
    yield f"Configuration `{report.digest[:10]}`"
    yield ""


def plain(text: str) -> str:
    """A text on one line in which Markdown finds no markup, HTML no tag, and a forge no link and no mention."""
    return MARKUP.sub(lambda found: "".join(f"&#{ord(one)};" for one in found[0]), " ".join(text.split())).replace(
        "&#64;", "&#64;\N{ZERO WIDTH SPACE}"
    )


def first_reason(error: str, checks: Iterable[dict[str, str]]) -> str:
    """Why a result is none that passed: what went wrong, else the first expectation that was not met."""
    reason = error or next((check["reason"] for check in checks if check["outcome"] != "pass"), "")
    return reason if len(reason) <= MOST_REASON else f"{reason[: MOST_REASON - 1]}…"


def _run(number: int | None) -> str:
    return f"run {number}" if number else "not run"


def _score(suite: SuiteReport) -> str:
    if suite.score is None:
        return "no score"
    against = "" if suite.live_score is None else f" (live {suite.live_score:.1%})"
    undecided = f", {suite.undecided:,} without a verdict" if suite.undecided else ""
    return f"{suite.score:.1%}{against}, {suite.passed:,} passed, {suite.failed:,} failed{undecided}"
