"""Checks before a version is there: the suites that an agent requires, run on exactly what a merge would bring."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from ninja.params.functions import Query

from agentversions.core.evaluations.report import Report
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document
from agentversions.models import Agent, AgentVersion, Configuration, EvaluationSuite
from agentversions.services.comparison import find_side
from agentversions.services.evaluations.checking import Limits, agent_of_folder, report_of, start_check

from .authentication import EDIT, READ, actor_of
from .evaluation_runs import find_run, run_answer
from .evaluations import find_suite
from .finding import find_agent
from .schemas import Digest, Line
from .schemas_evaluations import CheckAnswer, NewCheck

router = Router()


@router.post(
    "/evaluations/checks",
    auth=EDIT,
    response={200: CheckAnswer, 201: CheckAnswer},
    url_name="checks",
    summary="Evaluate a configuration",
)
def start(request: HttpRequest, body: NewCheck) -> Status[CheckAnswer]:
    """Workers run the suites; GET each run until it has ended, then the report under the digest.

    200 with nothing started where no agent is in the folder yet: it comes with the merge.
    """
    _refuse_ambiguous(body)
    agent = find_agent(body.agent) if body.agent is not None else agent_of_folder(body.folder or "")
    if agent is None:
        return Status(200, CheckAnswer(agent=None, digest=None, runs=[]))
    configuration, version = _content(agent, body)
    runs = start_check(
        agent=agent,
        configuration=configuration,
        version=version,
        commit=body.commit,
        suites=_suites(body.suites),
        with_live=body.with_live,
        limits=Limits(body.environment, body.concurrency, body.max_calls, body.max_cost, body.is_fresh),
        actor=actor_of(request),
    )
    answers = [run_answer(find_run(run.pk)) for run in runs]
    return Status(201, CheckAnswer(agent=agent.slug, digest=configuration.digest, runs=answers))


@router.get(
    "/agents/{slug:slug}/evaluations/{digest}",
    auth=READ,
    response=Report,
    url_name="check",
    summary="Read what evaluations say of a configuration",
)
def read(
    request: HttpRequest,
    slug: str,
    digest: Digest,
    suite: Annotated[list[Line], Query(max_length=100)] = [],  # noqa: B006  (never changed)
    tolerance: Annotated[float | None, Query(ge=0, le=1)] = None,
) -> Report:
    """By the newest finished runs: score beside the live version's, flips, and the gate's finding. Without `suite`:
    those that the agent requires."""
    return report_of(agent=find_agent(slug), digest=digest, suites=_suites(suite or None), tolerance=tolerance)


def _refuse_ambiguous(body: NewCheck) -> None:
    for one, other in (("agent", "folder"), ("configuration", "target")):
        if (getattr(body, one) is None) == (getattr(body, other) is None):
            raise InvalidConfiguration((FieldError("", f"Send either “{one}” or “{other}”, one of the two."),))


def _content(agent: Agent, body: NewCheck) -> tuple[Configuration, AgentVersion | None]:
    if body.configuration is not None:
        return Configuration.objects.store(read_document(body.configuration)), None
    side = find_side(agent, body.target or "draft")
    return side.configuration, side.version


def _suites(slugs: list[str] | None) -> list[EvaluationSuite] | None:
    return None if slugs is None else [find_suite(slug) for slug in slugs]
