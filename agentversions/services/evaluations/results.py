"""What came of runs: progress, scores, people's marks and the judge's agreement with them, comparisons."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Avg, Count, Max, Sum

from agentversions.core.evaluations.comparing import Comparison, compare_runs
from agentversions.core.evaluations.scoring import Graded, Score, score_by_tag
from agentversions.core.evaluations.statistics import kappa
from agentversions.models import Agent, CaseResult, EvaluationRun, EvaluationSuite, HumanMark, PaidAnswer, User
from agentversions.models.evaluation_runs import Outcome, RunState
from agentversions.services.audit import record
from agentversions.services.live_versions import live_version

from .errors import MarkRefused

PER_PAGE = 50


@dataclass(frozen=True)
class Progress:
    """How far a run is, by outcome, and what it has paid. `cost` is None while no price is known."""

    cases: int
    counts: dict[str, int]
    paid_calls: int
    paid: Decimal | None

    @property
    def done(self) -> int:
        """Cases with a result."""
        return sum(self.counts.values())

    @property
    def percent(self) -> int:
        """Of the cases, in whole percent; 100 only when all are done."""
        return self.done * 100 // self.cases if self.cases else 100


@dataclass(frozen=True)
class RunFigures:
    """What the answers of a run cost, kept ones too, and how long they took (milliseconds)."""

    cost: Decimal | None
    input_tokens: int
    output_tokens: int
    latency_ms: int | None
    slowest_ms: int | None


@dataclass(frozen=True)
class Agreement:
    """The judge against people's marks on the same results: how often both say the same, and Cohen's kappa."""

    marked: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float:
        """Of the marked results, those where both say the same."""
        return self.agreed / self.marked if self.marked else 0.0


def progress_of(run: EvaluationRun) -> Progress:
    """Where the run stands now."""
    counted = run.results.order_by().values_list("outcome").annotate(Count("id"))
    paid = PaidAnswer.objects.filter(run=run).aggregate(calls=Count("key"), cost=Sum("cost"))
    counts = {str(outcome): 0 for outcome in Outcome.values} | dict(counted)
    return Progress(run.revision.cases, counts, paid["calls"], paid["cost"])


def graded(run: EvaluationRun) -> Iterator[Graded]:
    """The results of a run as values, in order of its cases."""
    rows = run.results.order_by("position").values_list("name", "outcome", "weight", "must_pass", "tags")
    for name, outcome, weight, must_pass, tags in rows.iterator(chunk_size=2_000):
        yield Graded(name, outcome, weight, must_pass, tuple(tags))


def scores_of(run: EvaluationRun) -> dict[str, Score]:
    """The score of the whole run under the empty tag, then of each tag."""
    return score_by_tag(graded(run))


def figures_of(run: EvaluationRun) -> RunFigures:
    """Cost, tokens and latency of the run's answers."""
    found = run.results.aggregate(
        money=Sum("cost"),
        priced=Count("cost"),
        all=Count("id"),
        input=Sum("input_tokens"),
        output=Sum("output_tokens"),
        latency=Avg("latency_ms"),
        slowest=Max("latency_ms"),
    )
    latency = found["latency"]
    return RunFigures(
        found["money"] if found["priced"] == found["all"] else None,
        found["input"] or 0,
        found["output"] or 0,
        None if latency is None else round(latency),
        found["slowest"],
    )


def find_runs(*, suite: EvaluationSuite | None = None, agent: Agent | None = None) -> Any:
    """Runs, newest first, with everything that a list shows."""
    found = EvaluationRun.objects.newest_first().with_names()
    if suite is not None:
        found = found.filter(revision__suite=suite)
    if agent is not None:
        found = found.filter(agent=agent)
    return found


def list_results(run: EvaluationRun, *, outcome: str = "", text: str = "", page: str = "1") -> Page[Any]:
    """One page of the results in order of the cases; of one outcome, or whose case's name holds every word."""
    found = run.results.order_by("position")
    if outcome in Outcome.values:
        found = found.filter(outcome=outcome)
    for word in text.split():
        found = found.filter(name__icontains=word)
    return Paginator(found.prefetch_related("marks__created_by"), PER_PAGE).get_page(page)


@transaction.atomic
def mark_result(*, result: CaseResult, is_pass: bool, note: str = "", actor: User) -> HumanMark:
    """What a person says of a result; their newest mark counts. Raises MarkRefused."""
    if result.outcome == Outcome.ERROR:
        raise MarkRefused("There is no answer to mark. Run the suite again first.")
    if len(note) > 5_000:
        raise MarkRefused("The note is longer than 5,000 characters. Shorten it.", "note")
    mark = HumanMark.objects.create(result=result, is_pass=is_pass, note=note.strip(), created_by=actor)
    record(
        action="result marked",
        subject_kind="evaluation result",
        subject=str(result.pk),
        reason=mark.note,
        after={"run": result.run_id, "position": result.position, "case": result.name, "is_pass": is_pass},
        actor=actor,
    )
    return mark


def agreement_of(run: EvaluationRun) -> Agreement:
    """How far the judge and people agree on the judged results that people marked; each person counts once a result."""
    marks = (
        HumanMark.objects.filter(result__run=run, result__judged__in=(Outcome.PASS, Outcome.FAIL))
        .order_by("result_id", "created_by_id", "-id")
        .distinct("result_id", "created_by_id")
        .values_list("is_pass", "result__judged")
    )
    pairs = [(is_pass, judged == Outcome.PASS) for is_pass, judged in marks]
    return Agreement(len(pairs), sum(one == other for one, other in pairs), kappa(pairs))


def compare(base: EvaluationRun, head: EvaluationRun) -> Comparison:
    """Two runs, case by case, matched by the cases' names."""
    return compare_runs(graded(base), graded(head))


def newest_done(agent: Agent, digest: str, revision_id: int) -> EvaluationRun | None:
    """The newest finished run of a revision of a suite on exactly this configuration of this agent."""
    found: EvaluationRun | None = (
        EvaluationRun.objects.newest_first()
        .with_names()
        .filter(agent=agent, configuration_id=digest, revision_id=revision_id, state=RunState.DONE)
        .first()
    )
    return found


def live_run_beside(run: EvaluationRun) -> EvaluationRun | None:
    """The newest finished run of the same revision on the agent's live version: what a run is compared with."""
    live = live_version(run.agent)
    if live is None or live.configuration_id == run.configuration_id:
        return None
    return newest_done(run.agent, live.configuration_id, run.revision_id)
