"""What the gate asks: for an agent, a configuration and suites, what was run on exactly it, beside the live version."""

from collections.abc import Iterable

from agentversions.core.evaluations.scoring import ALL
from agentversions.core.gate import SuiteEvidence
from agentversions.models import Agent, EvaluationSuite
from agentversions.models.evaluation_runs import RunState
from agentversions.services.live_versions import live_version

from .results import compare, newest_done, scores_of


def gather_evidence(*, agent: Agent, digest: str, suites: Iterable[EvaluationSuite]) -> tuple[SuiteEvidence, ...]:
    """The evidence of each suite, in order, for `core.gate.decide`: only finished runs of the suite's newest revision
    on exactly this digest count, and the live version's run must be of the same revision.

    Where this digest is live already, there is nothing to compare it with: `has_live` is False.
    """
    live = live_version(agent)
    live_digest = live.configuration_id if live and live.configuration_id != digest else None
    return tuple(_of_suite(agent, digest, live_digest, suite) for suite in suites)


def _of_suite(agent: Agent, digest: str, live_digest: str | None, suite: EvaluationSuite) -> SuiteEvidence:
    latest = suite.latest
    assert latest is not None
    run = newest_done(agent, digest, latest.pk)
    live = newest_done(agent, live_digest, latest.pk) if live_digest else None
    score = scores_of(run)[ALL] if run else None
    return SuiteEvidence(
        suite=suite.slug,
        name=suite.name,
        revision=latest.number,
        cases=latest.cases,
        run=run.pk if run else None,
        run_state=RunState(run.state).label if run else "",
        score=score.share if score else None,
        undecided=score.undecided if score else 0,
        failed_must_pass=tuple(score.must_pass_failed) if score else (),
        has_live=live_digest is not None,
        live_run=live.pk if live else None,
        live_score=scores_of(live)[ALL].share if live else None,
        broken_must_pass=compare(live, run).broken_must_pass if live and run else (),
    )
