"""Runs: started on a suite's page, watched while they go, their results marked, two of them compared."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agentversions.core.evaluations.comparing import Flip
from agentversions.core.evaluations.scoring import ALL
from agentversions.core.roles import Permission
from agentversions.core.text_diff import InlineRow, diff_text, inline
from agentversions.forms.evaluations import RunForm
from agentversions.models import Agent, CaseResult, EvaluationRun, EvaluationSuite
from agentversions.models.evaluation_runs import Outcome
from agentversions.services.comparison import find_side
from agentversions.services.errors import NotLive, UnknownVersion
from agentversions.services.evaluations.endpoints import ENVIRONMENTS
from agentversions.services.evaluations.errors import MarkRefused, RunRefused
from agentversions.services.evaluations.results import (
    agreement_of,
    compare,
    figures_of,
    find_runs,
    list_results,
    live_run_beside,
    mark_result,
    progress_of,
    scores_of,
)
from agentversions.services.evaluations.starting import cancel_run, start_run
from config.htmx import fragment_or_page

from .access import actor_of, page
from .evaluations import suite_or_404, words_of

MOST_FLIPS = 50
OTHER_RUNS = 30


@page(Permission.EDIT, "GET", "POST")
def run_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Run the suite's newest revision against a version or the draft."""
    suite = suite_or_404(slug)
    initial = {
        "agent": suite.agent.slug if suite.agent else request.GET.get("agent", ""),
        "target": request.GET.get("target", "draft"),
        "environment": "production",
        "concurrency": 5,
    }
    form = RunForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        run = _started(request, suite, form)
        if run is not None:
            return redirect("agentversions:run_detail", run.pk)
    agents = Agent.objects.active() if suite.agent is None else [suite.agent]
    context = {"suite": suite, "form": form, "agents": agents, "environments": ENVIRONMENTS}
    return render(request, "agentversions/run_form.html", context, status=422 if form.errors else 200)


@page(Permission.READ)
def run_detail(request: HttpRequest, number: int) -> HttpResponse:
    """One run: how far it is, its score, its results."""
    run = run_or_404(number)
    outcome, text = request.GET.get("outcome", ""), words_of(request)
    context = {
        **_progress(run),
        "results": list_results(run, outcome=outcome, text=text, page=request.GET.get("page", "1")),
        "outcome": outcome,
        "outcomes": Outcome.choices,
        "text": text,
        "others": find_runs(suite=run.revision.suite, agent=run.agent).exclude(pk=run.pk)[:OTHER_RUNS],
    }
    return render(request, "agentversions/run_detail.html", context)


@page(Permission.READ)
def run_progress(request: HttpRequest, number: int) -> HttpResponse:
    """How far a run is; the page asks again every second until it has ended."""
    run = run_or_404(number)
    response = fragment_or_page(request, "agentversions/fragments/run_progress.html", _progress(run))
    if run.has_ended:
        response["HX-Refresh"] = "true"  # the results below are complete now
    return response


@page(Permission.EDIT, "POST")
def run_cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Take no further cases; what is finished stays."""
    run = cancel_run(run=run_or_404(number), actor=actor_of(request))
    words = (
        "The run ended before it could be cancelled." if run.state == "done" else "Cancelled; what is finished stays."
    )
    messages.success(request, words)
    return redirect("agentversions:run_detail", run.pk)


@page(Permission.READ)
def run_result(request: HttpRequest, number: int, position: int) -> HttpResponse:
    """One result: the conversation, every check, people's marks."""
    result = _result_or_404(number, position)
    context = {"result": result, "run": result.run, "marks": result.marks.select_related("created_by")}
    return render(request, "agentversions/run_result.html", context)


@page(Permission.EDIT, "POST")
def run_mark(request: HttpRequest, number: int, position: int) -> HttpResponse:
    """What a person says of a result."""
    result = _result_or_404(number, position)
    try:
        mark_result(
            result=result,
            is_pass=request.POST.get("mark") == "pass",
            note=request.POST.get("note", "").replace("\x00", ""),
            actor=actor_of(request),
        )
    except MarkRefused as refusal:
        context = {"result": result, "run": result.run, "marks": result.marks.all(), "refusal": str(refusal)}
        return render(
            request, "agentversions/run_result.html", {**context, "note": request.POST.get("note")}, status=422
        )
    messages.success(request, "Marked.")
    return redirect("agentversions:run_result", number, position)


@page(Permission.READ)
def run_compare_choice(request: HttpRequest, number: int) -> HttpResponse:
    """Send the reader to the comparison with the chosen run."""
    chosen = request.GET.get("with", "")
    if not (chosen.isascii() and chosen.isdecimal()):
        raise Http404("Choose a run to compare with.")
    return redirect("agentversions:run_compare", int(chosen), number)


@dataclass(frozen=True)
class ShownFlip:
    """A flip with both results and the word difference of what was answered."""

    flip: Flip
    base: CaseResult
    head: CaseResult
    rows: tuple[InlineRow, ...]


@page(Permission.READ)
def run_compare(request: HttpRequest, base: int, head: int) -> HttpResponse:
    """Two runs: the flip table per tag, and what was answered, side by side."""
    before, after = run_or_404(base), run_or_404(head)
    comparison = compare(before, after)
    flips = (*comparison.of_kind("broken"), *comparison.of_kind("mended"), *comparison.of_kind("unclear"))
    context = {
        "base": before,
        "head": after,
        "comparison": comparison,
        "flips": _shown(before, after, flips[:MOST_FLIPS]),
        "more": max(0, len(flips) - MOST_FLIPS),
        "base_figures": figures_of(before),
        "head_figures": figures_of(after),
        "is_other_suite": before.revision.suite_id != after.revision.suite_id,
    }
    return render(request, "agentversions/run_compare.html", context)


def run_or_404(number: int) -> EvaluationRun:
    """The run with its names, or a 404."""
    run: EvaluationRun | None = EvaluationRun.objects.with_names().filter(pk=number).first()
    if run is None:
        raise Http404(f"There is no evaluation run {number}.")
    return run


def answer_text(result: CaseResult) -> str:
    """What the agent said and called, one line each, for a difference."""
    lines = []
    for message in result.transcript:
        if message["role"] == "assistant":
            lines += [
                f"{call['function']['name']}({call['function']['arguments']})"
                for call in message.get("tool_calls") or ()
            ]
            lines.append(message.get("content") or "")
    return "\n".join(line for line in lines if line)


def _shown(base: EvaluationRun, head: EvaluationRun, flips: tuple[Flip, ...]) -> list[ShownFlip]:
    names = [flip.name for flip in flips]
    before = {result.name: result for result in base.results.filter(name__in=names)}
    after = {result.name: result for result in head.results.filter(name__in=names)}
    found = []
    for flip in flips:
        one, other = before[flip.name], after[flip.name]
        rows = inline(diff_text(answer_text(one), answer_text(other), time_limit_s=0.05).rows)
        found.append(ShownFlip(flip, one, other, tuple(rows)))
    return found


def _progress(run: EvaluationRun) -> dict[str, object]:
    shown: dict[str, object] = {"run": run, "progress": progress_of(run)}
    if not run.has_ended:
        return shown
    # Every result is read for these: not each second while the run goes on.
    scores = scores_of(run)
    return shown | {
        "score": scores.pop(ALL),
        "tags": scores,
        "figures": figures_of(run),
        "agreement": agreement_of(run),
        "live_run": live_run_beside(run),
    }


def _started(request: HttpRequest, suite: EvaluationSuite, form: RunForm) -> EvaluationRun | None:
    chosen = form.cleaned_data
    agent = Agent.objects.with_draft().filter(slug=chosen["agent"]).first()
    if agent is None:
        form.add_error("agent", "There is no such agent. Choose one of the list.")
        return None
    try:
        side = find_side(agent, chosen["target"].strip().removeprefix("V"))
        limits = {name: chosen[name] for name in ("concurrency", "max_calls", "max_cost", "is_fresh")}
        return start_run(
            suite=suite,
            agent=agent,
            version=side.version,
            environment=chosen["environment"],
            actor=actor_of(request),
            **limits,
        )
    except (UnknownVersion, NotLive) as refusal:
        form.add_error("target", str(refusal))
    except RunRefused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    return None


def _result_or_404(number: int, position: int) -> CaseResult:
    result = (
        CaseResult.objects.select_related("run__revision__suite", "run__agent", "run__version", "case")
        .filter(run_id=number, position=position)
        .first()
    )
    if result is None:
        raise Http404(f"Run {number} has no result for its case {position} yet.")
    return result
