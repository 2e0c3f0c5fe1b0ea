"""One case of a suite: a new one (also from a call or a conversation), one to edit, one to take out."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agentversions.core.configuration import Json
from agentversions.core.evaluations.cases import BadCase
from agentversions.core.roles import Permission
from agentversions.forms.evaluations import CaseForm
from agentversions.models import EvaluationSuite
from agentversions.services.evaluations.cases import find_entry, save_case
from agentversions.services.evaluations.errors import SuiteMoved, SuiteRefused
from agentversions.services.evaluations.suites import change_cases

from .access import actor_of, page
from .evaluations import suite_or_404

BEGINNING: Json = {"turns": [], "expect": []}


@page(Permission.EDIT, "GET", "POST")
def case_create(request: HttpRequest, slug: str) -> HttpResponse:
    """A new case; a POST with `is_beginning` only fills the form in, for whoever brings a conversation."""
    suite = suite_or_404(slug)
    if request.method == "POST" and not request.POST.get("is_beginning"):
        return _save(request, suite, CaseForm.of_post(request.POST), "")
    form = CaseForm.of_post(request.POST) if request.method == "POST" else CaseForm.of(BEGINNING)
    return _page(request, suite, form, "")


@page(Permission.READ, "GET", "POST", write=Permission.EDIT)
def case_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A case of the suite (`?name=`), to read and to change."""
    suite = suite_or_404(slug)
    name = request.GET.get("name", "").replace("\x00", "")
    entry = find_entry(suite, name)
    if entry is None:
        raise Http404(f"“{suite.name}” has no case “{name[:100]}” now.")
    if request.method == "POST":
        return _save(request, suite, CaseForm.of_post(request.POST), name)
    return _page(request, suite, CaseForm.of_case(entry.case.load()), name)


@page(Permission.EDIT, "POST")
def case_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a case out; earlier revisions and their runs keep it."""
    suite, name = suite_or_404(slug), request.POST.get("name", "").replace("\x00", "")
    _, changed = change_cases(suite=suite, remove=[name], actor=actor_of(request))
    if changed.removed:
        messages.success(request, f"Took “{name}” out. Runs that had it keep it.")
    return redirect("agentversions:suite_detail", slug)


def _save(request: HttpRequest, suite: EvaluationSuite, form: CaseForm, name: str) -> HttpResponse:
    seen = request.POST.get("seen", "")
    try:
        case, revision = save_case(
            suite=suite,
            document=form.document(),
            replaces=name,
            seen=int(seen) if seen.isascii() and seen.isdecimal() else None,
            actor=actor_of(request),
        )
    except (BadCase, SuiteRefused, SuiteMoved, ValueError) as refusal:
        form.refusal = str(refusal)
        return _page(request, suite, form, name)
    messages.success(request, f"Saved “{case.name}” (revision {revision.number}).")
    return redirect("agentversions:suite_detail", suite.slug)


def _page(request: HttpRequest, suite: EvaluationSuite, form: CaseForm, name: str) -> HttpResponse:
    context = {"suite": suite, "form": form, "name": name}
    return render(request, "agentversions/case_form.html", context, status=422 if form.refusal else 200)
