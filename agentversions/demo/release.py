"""The demo's release: a suite with its runs, what an agent needs before callers hear it, and a request that waits.

No model is asked: what one said stands in the file as kept answers, and the runner plays and checks them as its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from agentversions.core.evaluations.cases import read_case
from agentversions.core.evaluations.conversation import play
from agentversions.core.yaml_text import read_yaml
from agentversions.models import Agent, EvaluationRun, EvaluationSuite, PaidAnswer, SuiteEntry, User
from agentversions.services.approval_comments import comment, lines_at
from agentversions.services.approvals import ask_approval
from agentversions.services.evaluations.lines import first_key
from agentversions.services.evaluations.running import job_of, run_suite
from agentversions.services.evaluations.starting import start_run
from agentversions.services.evaluations.suites import change_cases, create_suite
from agentversions.services.publishing import get_version
from agentversions.services.release_rules import set_rules

FILE = Path(__file__).with_name("release.yaml")
ENVIRONMENT = "staging"
LETTERS_PER_TOKEN = 4


def load_release(people: Mapping[str, User]) -> None:
    """Add it unless a suite is there."""
    if EvaluationSuite.objects.exists():
        return
    wanted: Any = read_yaml(FILE.read_text(encoding="utf-8"))
    agent = Agent.objects.get(slug=wanted["agent"])
    suite = _make_suite(wanted["suite"], agent, people)
    for run in wanted["runs"]:
        _run(suite, agent, run, people)
    set_rules(
        agent=agent,
        approvals=wanted["approvals"],
        tolerance=0,
        suites=[suite.slug],
        actor=people[wanted["set_by"]],
    )
    asks, said = wanted["asks"], wanted["comment"]
    request = ask_approval(
        version=get_version(agent, asks["version"]),
        reason=asks["reason"],
        goes_live=asks["goes_live"],
        actor=people[asks["by"]],
    )
    lines = lines_at(request, said["path"])
    line = next(number for number, text in enumerate(lines, 1) if text.startswith(said["on"]))
    comment(request=request, path=said["path"], line=line, text=said["says"], actor=people[said["by"]])


def _make_suite(wanted: Mapping[str, Any], agent: Agent, people: Mapping[str, User]) -> EvaluationSuite:
    actor = people[wanted["by"]]
    suite = create_suite(name=wanted["name"], description=wanted["description"], agent=agent, actor=actor)
    change_cases(suite=suite, put=[read_case(each) for each in wanted["cases"]], actor=actor)
    return EvaluationSuite.objects.select_related("latest").get(pk=suite.pk)


def _run(suite: EvaluationSuite, agent: Agent, wanted: Mapping[str, Any], people: Mapping[str, User]) -> None:
    version = get_version(agent, wanted["version"])
    with _endpoint_of(version.configuration.load().model.provider):
        run = start_run(
            suite=suite,
            agent=agent,
            version=version,
            environment=ENVIRONMENT,
            is_deferred=False,
            actor=people[wanted["by"]],
        )
        PaidAnswer.objects.bulk_create(_answers(run, wanted["answers"]))
        run_suite(run.pk)


def _answers(run: EvaluationRun, said: Mapping[str, str]) -> Iterator[PaidAnswer]:
    """What the model said, each under the question that the runner will ask."""
    job = job_of(run)
    for entry in SuiteEntry.objects.at(run.revision).select_related("case"):
        case, text = entry.case.load(), said[entry.name]
        messages = next(play(job.configuration, case))
        yield PaidAnswer(
            key=first_key(job, case, messages),
            run=run,
            answer={"text": text, "calls": [], "is_refusal": False},
            input_tokens=sum(len(str(message)) for message in messages) // LETTERS_PER_TOKEN,
            output_tokens=len(text) // LETTERS_PER_TOKEN,
            latency_ms=300 + 9 * len(text),
        )


@contextmanager
def _endpoint_of(provider: str) -> Iterator[None]:
    """Where these runs would ask if an answer were not kept; it answers nothing, and is forgotten afterwards."""
    before = settings.LLM_ENDPOINTS
    settings.LLM_ENDPOINTS = {ENVIRONMENT: {"providers": {provider: {"url": "http://127.0.0.1:9", "retries": 0}}}}
    try:
        yield
    finally:
        settings.LLM_ENDPOINTS = before
