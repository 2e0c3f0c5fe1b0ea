"""What tests of evaluations share: a suite of short cases, and a run of it that is worked on at once."""

from typing import Any

from agentversions.core.evaluations.cases import Case, read_case
from agentversions.models import Agent, CaseResult, EvaluationRun, EvaluationSuite
from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.starting import start_run
from agentversions.services.evaluations.suites import change_cases, create_suite
from tests.factories import make_user


def case(name: str, text: str = "Hi", **fields: Any) -> Case:
    """A case of one turn that expects a “yes”; fields replace its own."""
    turns = [{"role": "user", "text": text}]
    return read_case({"name": name, "turns": turns, "expect": [{"kind": "contains", "text": "yes"}], **fields})


def suite_of(*cases: Case, name: str = "Opening hours") -> EvaluationSuite:
    """A suite with these cases."""
    suite = create_suite(name=name, actor=make_user())
    change_cases(suite=suite, put=cases, actor=make_user())
    found: EvaluationSuite = EvaluationSuite.objects.get(pk=suite.pk)
    return found


def run_of(suite: EvaluationSuite, agent: Agent, **options: Any) -> EvaluationRun:
    """A run that was worked on to its end."""
    run = start_run(
        suite=suite, agent=agent, is_deferred=False, actor=options.pop("actor", agent.created_by), **options
    )
    assert run_suite(run.pk)
    ended: EvaluationRun = EvaluationRun.objects.with_names().get(pk=run.pk)
    return ended


def run_of_one_case(agent: Agent) -> EvaluationRun:
    """Run 1 of the suite “clinic”, as its rows say it; nobody was asked."""
    suite = suite_of(case("a"), name="Clinic")
    assert suite.latest is not None
    run = EvaluationRun.objects.create(
        pk=1,
        revision=suite.latest,
        agent=agent,
        configuration=agent.draft,
        environment="production",
        settings={},
        created_by=agent.created_by,
    )
    entry = suite.entries.get()
    CaseResult.objects.create(run=run, case_id=entry.case_id, name="a", position=0, outcome="pass")
    return run


def outcomes(run: EvaluationRun) -> dict[str, str]:
    """What became of each case, by name."""
    return dict(run.results.values_list("name", "outcome"))
