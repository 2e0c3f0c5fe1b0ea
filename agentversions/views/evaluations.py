"""Evaluation suites: the list, a suite with its cases, import and export."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from agentversions.core.evaluations.files import FORMATS, write_cases
from agentversions.core.roles import Permission
from agentversions.forms.evaluations import ImportForm, SuiteForm
from agentversions.models import Agent, EvaluationSuite
from agentversions.services.evaluations.errors import CasesRefused, SuiteRefused
from agentversions.services.evaluations.importing import import_cases
from agentversions.services.evaluations.results import find_runs
from agentversions.services.evaluations.suites import (
    cases_of,
    create_suite,
    describe_suite,
    file_suite,
    list_cases,
    list_suites,
)
from config.htmx import fragment_or_page

from .access import actor_of, page

RUNS_SHOWN = 10


@page(Permission.READ)
def suite_list(request: HttpRequest) -> HttpResponse:
    """The suites, and the newest runs."""
    text, is_archived = words_of(request), request.GET.get("archived") == "1"
    agent = Agent.objects.filter(slug=request.GET.get("agent", "")).first()
    context = {
        "suites": list_suites(text=text, agent=agent, is_archived=is_archived, page=request.GET.get("page", "1")),
        "runs": find_runs(agent=agent)[:RUNS_SHOWN],
        "text": text,
        "of_agent": agent,
        "is_archived": is_archived,
    }
    return fragment_or_page(
        request, "agentversions/fragments/suite_table.html", context, page="agentversions/suite_list.html"
    )


@page(Permission.EDIT, "GET", "POST")
def suite_create(request: HttpRequest) -> HttpResponse:
    """A new suite."""
    form = SuiteForm(request.POST or None, initial={"agent": request.GET.get("agent", "")})
    suite = _saved(request, form, create_suite)
    if suite is None:
        return _form(request, form, None)
    messages.success(request, f"Made the suite “{suite.name}”. Add cases, or import a file.")
    return redirect("agentversions:suite_detail", suite.slug)


@page(Permission.EDIT, "GET", "POST")
def suite_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A suite's name, description, and whose it is."""
    suite = suite_or_404(slug)
    there = {"name": suite.name, "description": suite.description, "agent": suite.agent.slug if suite.agent else ""}
    form = SuiteForm(request.POST or None, initial=there)
    if _saved(request, form, partial(describe_suite, suite=suite)) is None:
        return _form(request, form, suite)
    messages.success(request, "Saved. The cases are as they were.")
    return redirect("agentversions:suite_detail", slug)


@page(Permission.READ)
def suite_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One suite: its cases, revisions and runs."""
    suite = suite_or_404(slug)
    return _detail(request, suite, ImportForm())


@page(Permission.EDIT, "POST")
def suite_archive(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a suite out of the list, or puts it back; its runs stay."""
    suite = suite_or_404(slug)
    filed = file_suite(suite=suite, is_archived=suite.archived_at is None, actor=actor_of(request))
    words = "Archived. Its runs stay readable." if filed.archived_at else "It is back in the list."
    messages.success(request, words)
    return redirect("agentversions:suite_detail", slug)


@page(Permission.EDIT, "POST")
def suite_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts the cases of a file in: all, or none with every problem named."""
    suite, form = suite_or_404(slug), ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _detail(request, suite, form, status=422)
    file = form.cleaned_data["file"]
    try:
        done = import_cases(
            suite=suite,
            name=file.name,
            stream=file.file,
            is_whole=form.cleaned_data["is_whole"],
            skips_bad=form.cleaned_data["skips_bad"],
            actor=actor_of(request),
        )
    except (CasesRefused, SuiteRefused) as refusal:
        form.add_error("file", str(refusal))
        problems = refusal.problems if isinstance(refusal, CasesRefused) else ()
        return _detail(request, suite, form, problems=problems, status=422)
    left = f" {len(done.problems)} could not be kept." if done.problems else ""
    messages.success(request, f"Imported: {done.changed}.{left}")
    return redirect("agentversions:suite_detail", slug)


@page(Permission.READ)
def suite_export(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """The newest revision as a file."""
    suite = suite_or_404(slug)
    if form not in FORMATS:
        raise Http404(f"Choose one of {', '.join(FORMATS)}.")
    assert suite.latest is not None
    kinds = {"json": "application/json", "csv": "text/csv; charset=utf-8", "yaml": "application/yaml"}
    response = StreamingHttpResponse(write_cases(cases_of(suite.latest), form), content_type=kinds[form])
    response["Content-Disposition"] = f'attachment; filename="{slug}-r{suite.latest.number}.{form}"'
    return response


def suite_or_404(slug: str) -> EvaluationSuite:
    """The suite with its newest revision, or a 404 that names it."""
    suite: EvaluationSuite | None = (
        EvaluationSuite.objects.select_related("agent", "latest__created_by").filter(slug=slug).first()
    )
    if suite is None:
        raise Http404(f"There is no evaluation suite “{slug}”.")
    return suite


def words_of(request: HttpRequest) -> str:
    """What is looked for."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:200]


def _detail(
    request: HttpRequest,
    suite: EvaluationSuite,
    form: ImportForm,
    *,
    problems: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    assert suite.latest is not None
    text = words_of(request)
    context = {
        "suite": suite,
        "cases": list_cases(suite.latest, text=text, page=request.GET.get("page", "1")),
        "runs": find_runs(suite=suite)[:RUNS_SHOWN],
        "revisions": suite.revisions.select_related("created_by").order_by("-number")[:RUNS_SHOWN],
        "text": text,
        "form": form,
        "problems": problems,
        "formats": FORMATS,
    }
    return render(request, "agentversions/suite_detail.html", context, status=status)


def _saved(request: HttpRequest, form: SuiteForm, save: Callable[..., EvaluationSuite]) -> EvaluationSuite | None:
    """What was typed, saved by a service; None where nothing was sent, or it was refused, which the form then says."""
    if request.method != "POST" or not form.is_valid():
        return None
    typed = form.cleaned_data
    try:
        return save(
            name=typed["name"], description=typed["description"], agent=_agent(typed["agent"]), actor=actor_of(request)
        )
    except SuiteRefused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return None


def _agent(slug: str) -> Agent | None:
    if not slug:
        return None
    agent: Agent | None = Agent.objects.filter(slug=slug).first()
    if agent is None:
        raise SuiteRefused(f"There is no agent “{slug}”. Choose one of the list.", "agent")
    return agent


def _form(request: HttpRequest, form: SuiteForm, suite: EvaluationSuite | None) -> HttpResponse:
    context = {"form": form, "suite": suite, "agents": Agent.objects.active()}
    return render(request, "agentversions/suite_form.html", context, status=422 if form.errors else 200)
