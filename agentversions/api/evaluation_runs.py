"""Evaluation runs, their results and comparisons: the same services as the pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from agentversions.core.evaluations.scoring import ALL
from agentversions.models import CaseResult, EvaluationRun
from agentversions.models.evaluation_runs import Outcome
from agentversions.services.comparison import find_side
from agentversions.services.evaluations.results import compare, find_runs, mark_result, progress_of, scores_of
from agentversions.services.evaluations.starting import cancel_run, start_run

from .addresses import next_page
from .agents import Size, Words
from .authentication import EDIT, READ, actor_of
from .evaluations import find_suite
from .finding import find_agent
from .schemas_evaluations import (
    FlipAnswer,
    FlipRowAnswer,
    FlipTable,
    MarkAnswer,
    NewMark,
    NewRun,
    ResultAnswer,
    ResultList,
    RunAnswer,
    RunList,
)

router = Router()


@router.get("/evaluations/runs", auth=READ, response=RunList, url_name="runs", summary="List evaluation runs")
def list_runs(
    request: HttpRequest, suite: Words = "", agent: Words = "", before: int | None = None, limit: Size = 100
) -> RunList:
    """Newest first; of a suite, of an agent."""
    found = find_runs(suite=find_suite(suite) if suite else None, agent=find_agent(agent) if agent else None)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: limit + 1])
    following = next_page(request, before=rows[limit - 1].pk) if len(rows) > limit else None
    return RunList(items=[run_answer(row) for row in rows[:limit]], next=following)


@router.post(
    "/evaluations/runs", auth=EDIT, response={201: RunAnswer}, url_name="runs", summary="Start an evaluation run"
)
def start(request: HttpRequest, response: HttpResponse, body: NewRun) -> RunAnswer:
    """A worker works on it; GET it until its `state` is done, stopped or cancelled."""
    suite, agent = find_suite(body.suite), find_agent(body.agent)
    run = start_run(
        suite=suite,
        agent=agent,
        version=find_side(agent, body.target).version,
        environment=body.environment,
        concurrency=body.concurrency,
        max_calls=body.max_calls,
        max_cost=body.max_cost,
        is_fresh=body.is_fresh,
        actor=actor_of(request),
    )
    response["Location"] = reverse("api:run", args=[run.pk])
    return run_answer(find_run(run.pk))


@router.get("/evaluations/runs/{int:number}", auth=READ, response=RunAnswer, url_name="run", summary="Read a run")
def read_run(request: HttpRequest, number: int) -> RunAnswer:
    """How far it is; its score once it has ended."""
    return run_answer(find_run(number))


@router.post(
    "/evaluations/runs/{int:number}/cancel",
    auth=EDIT,
    response=RunAnswer,
    url_name="run_cancel",
    summary="Cancel a run",
)
def cancel(request: HttpRequest, number: int) -> RunAnswer:
    """It takes no further cases; what is finished stays."""
    cancel_run(run=find_run(number), actor=actor_of(request))
    return run_answer(find_run(number))


@router.get(
    "/evaluations/runs/{int:number}/results",
    auth=READ,
    response=ResultList,
    url_name="results",
    summary="List a run's results",
)
def list_results(
    request: HttpRequest, number: int, outcome: Words = "", after: int = -1, limit: Size = 100
) -> ResultList:
    """In order of the cases; `outcome`: pass, fail, invalid or error."""
    found = find_run(number).results.filter(position__gt=after)
    if outcome:
        if outcome not in Outcome.values:
            raise Http404(f"There is no outcome “{outcome}”. Ask for one of {', '.join(Outcome.values)}.")
        found = found.filter(outcome=outcome)
    rows = list(found.order_by("position")[: limit + 1])
    following = next_page(request, after=rows[limit - 1].position) if len(rows) > limit else None
    fields = ResultAnswer.model_fields
    items = [ResultAnswer(**{name: getattr(row, name) for name in fields}) for row in rows[:limit]]
    return ResultList(items=items, next=following)


@router.post(
    "/evaluations/runs/{int:number}/results/{int:position}/marks",
    auth=EDIT,
    response={201: MarkAnswer},
    url_name="marks",
    summary="Mark a result",
)
def mark(request: HttpRequest, number: int, position: int, body: NewMark) -> MarkAnswer:
    """What a person says of it; their newest mark counts in the judge's agreement."""
    result = CaseResult.objects.filter(run_id=number, position=position).first()
    if result is None:
        raise Http404(f"Run {number} has no result for its case {position}.")
    kept = mark_result(result=result, is_pass=body.is_pass, note=body.note, actor=actor_of(request))
    kept.refresh_from_db()
    return MarkAnswer(
        is_pass=kept.is_pass, note=kept.note, created_by=kept.created_by.username, created_at=kept.created_at
    )


@router.get(
    "/evaluations/runs/{int:base}/compare/{int:head}",
    auth=READ,
    response=FlipTable,
    url_name="run_compare",
    summary="Compare two runs",
)
def compare_two(request: HttpRequest, base: int, head: int) -> FlipTable:
    """Which cases flipped, per tag."""
    found = compare(find_run(base), find_run(head))
    flips = [flip for flip in found.flips if flip.kind in ("broken", "mended", "unclear")]
    rows = [
        FlipRowAnswer(
            **{name: getattr(row, name) for name in FlipRowAnswer.model_fields if name != "interval"},
            interval=(row.interval.low, row.interval.high),
        )
        for row in found.rows
    ]
    return FlipTable(
        base=base,
        head=head,
        rows=rows,
        flips=[FlipAnswer(name=flip.name, kind=flip.kind, must_pass=flip.must_pass) for flip in flips],
        only_base=list(found.only_base),
        only_head=list(found.only_head),
    )


def find_run(number: int) -> EvaluationRun:
    """The run with its names. Raises Http404."""
    run: EvaluationRun | None = EvaluationRun.objects.with_names().filter(pk=number).first()
    if run is None:
        raise Http404(f"There is no evaluation run {number}.")
    return run


def run_answer(run: EvaluationRun) -> RunAnswer:
    """A run as the API gives it; its score once it has ended."""
    progress = progress_of(run)
    return RunAnswer(
        id=run.pk,
        suite=run.revision.suite.slug,
        revision=run.revision.number,
        agent=run.agent.slug,
        version=run.version.number if run.version else None,
        digest=run.configuration_id,
        environment=run.environment,
        settings=run.settings,
        state=run.state,
        stopped_by=run.stopped_by,
        cases=progress.cases,
        counts=progress.counts,
        paid_calls=progress.paid_calls,
        paid=progress.paid,
        score=scores_of(run)[ALL].share if run.has_ended else None,
        created_at=run.created_at,
        created_by=run.created_by.username,
        ended_at=run.ended_at,
    )
