"""A configuration before it is a version: runs of the suites that an agent requires, and what they say.

A run is of a digest. What a pull request would merge is run as it is; the version that the merge then makes has the
same digest, so the gate knows its runs already.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from django.db import transaction

from agentversions.core.evaluations.report import CaseLine, Kind, Report, SuiteReport, first_reason
from agentversions.core.evaluations.scoring import ALL
from agentversions.core.gate import SuiteEvidence, decide
from agentversions.models import (
    Agent,
    AgentVersion,
    CaseResult,
    Configuration,
    EvaluationRun,
    EvaluationSuite,
    User,
)
from agentversions.services.live_versions import live_version
from agentversions.services.release_rules import rules_of

from .evidence import gather_evidence
from .results import compare, newest_done, scores_of
from .starting import start_run

MOST_LINES = 50


@dataclass(frozen=True)
class Limits:
    """How a check's runs ask: where, how much at once, and what each may pay."""

    environment: str = "production"
    concurrency: int = 5
    max_calls: int | None = None
    max_cost: Decimal | None = None
    is_fresh: bool = False


def agent_of_folder(folder: str) -> Agent | None:
    """The agent that a folder of the followed repository holds; before the first sync, the one of its name."""
    tied = Agent.objects.with_draft().filter(git_folder__folder=folder).first()
    found: Agent | None = tied or Agent.objects.with_draft().filter(slug=folder, git_folder__isnull=True).first()
    return found


@transaction.atomic
def start_check(
    *,
    agent: Agent,
    configuration: Configuration,
    version: AgentVersion | None = None,
    commit: str = "",
    suites: Sequence[EvaluationSuite] | None = None,
    with_live: bool = True,
    limits: Limits = Limits(),
    is_deferred: bool = True,
    actor: User,
) -> tuple[EvaluationRun, ...]:
    """Run suites (None: those that the agent requires) on a configuration; `commit` is where git has it.

    `with_live`: also on the live version, where its newest revision was not run: the gate compares with it. Raises what
    `start_run` raises.
    """
    live = live_version(agent) if with_live else None
    runs = []
    for suite in rules_of(agent).suites if suites is None else suites:
        sides: list[tuple[Configuration, AgentVersion | None, str]] = [(configuration, version, commit)]
        if live is not None and _lacks(suite, agent, live, configuration):
            sides.append((live.configuration, live, ""))
        for content, number, place in sides:
            runs.append(
                start_run(
                    suite=suite,
                    agent=agent,
                    configuration=content,
                    version=number,
                    commit=place,
                    environment=limits.environment,
                    concurrency=limits.concurrency,
                    max_calls=limits.max_calls,
                    max_cost=limits.max_cost,
                    is_fresh=limits.is_fresh and content is configuration,
                    is_deferred=is_deferred,
                    actor=actor,
                )
            )
    return tuple(runs)


def _lacks(suite: EvaluationSuite, agent: Agent, live: AgentVersion, configuration: Configuration) -> bool:
    """Whether the suite was not run on the live version, which another configuration is compared with."""
    if live.configuration_id == configuration.digest or suite.latest_id is None:
        return False
    return newest_done(agent, live.configuration_id, suite.latest_id) is None


def report_of(
    *, agent: Agent, digest: str, suites: Sequence[EvaluationSuite] | None = None, tolerance: float | None = None
) -> Report:
    """What the gate says of a configuration by these suites (None: those required), and which cases flipped.

    `tolerance` is a share; None: the agent's own.
    """
    rules = rules_of(agent)
    chosen = rules.suites if suites is None else suites
    evidence = gather_evidence(agent=agent, digest=digest, suites=chosen)
    decision = decide(evidence, tolerance=rules.tolerance if tolerance is None else tolerance)
    findings = {finding.suite: finding.message for finding in decision.findings}
    return Report(
        agent=agent.slug,
        name=agent.name,
        digest=digest,
        suites=tuple(_of_suite(one, findings.get(one.suite, "")) for one in evidence),
    )


def _of_suite(found: SuiteEvidence, finding: str) -> SuiteReport:
    run, live = _run(found.run), _run(found.live_run)
    score = scores_of(run)[ALL] if run else None
    lines = list(_lines(run, live)) if run else []
    return SuiteReport(
        suite=found.suite,
        name=found.name,
        revision=found.revision,
        run=found.run,
        live_run=found.live_run,
        cases=found.cases,
        passed=score.passed if score else 0,
        failed=score.failed if score else 0,
        undecided=found.undecided,
        score=found.score,
        live_score=found.live_score,
        lines=tuple(lines[:MOST_LINES]),
        more=max(0, len(lines) - MOST_LINES),
        finding=finding,
    )


def _run(number: int | None) -> EvaluationRun | None:
    return None if number is None else EvaluationRun.objects.get(pk=number)


def _lines(run: EvaluationRun, live: EvaluationRun | None) -> Iterator[CaseLine]:
    """Flips first, then everything else that did not pass, each in order of the cases."""
    flipped: dict[str, Kind] = {}
    if live is not None:
        comparison = compare(live, run)
        flipped |= {flip.name: "broken" for flip in comparison.of_kind("broken")}
        flipped |= {flip.name: "mended" for flip in comparison.of_kind("mended")}
    rows = {row.name: row for row in run.results.filter(name__in=list(flipped)).defer("transcript")}
    for name, kind in flipped.items():
        yield _line(rows[name], kind)
    others = run.results.exclude(outcome="pass").exclude(name__in=list(flipped)).order_by("position")
    for row in others.defer("transcript").iterator(chunk_size=500):
        yield _line(row, cast(Kind, row.outcome))


def _line(row: CaseResult, kind: Kind) -> CaseLine:
    return CaseLine(name=row.name, kind=kind, must_pass=row.must_pass, reason=first_reason(row.error, row.checks))
