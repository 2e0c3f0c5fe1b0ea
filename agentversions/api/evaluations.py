"""Evaluation suites and their cases: the same services as the pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from agentversions.core.evaluations.cases import BadCase, case_document, read_case
from agentversions.models import EvaluationSuite, SuiteEntry
from agentversions.services.evaluations.errors import CasesRefused
from agentversions.services.evaluations.importing import import_cases
from agentversions.services.evaluations.suites import change_cases, create_suite, find_suites

from .addresses import next_page
from .agents import Size, Words
from .authentication import EDIT, READ, actor_of
from .bodies import body_stream
from .finding import find_agent
from .schemas_evaluations import CaseChanges, CaseList, ImportAnswer, NewSuite, SuiteAnswer, SuiteList

router = Router()
FILE_NAMES = {
    "application/json": "cases.json",
    "application/x-ndjson": "cases.ndjson",
    "text/csv": "cases.csv",
    "application/yaml": "cases.yaml",
}


@router.get("/evaluations/suites", auth=READ, response=SuiteList, url_name="suites", summary="List evaluation suites")
def list_suites(
    request: HttpRequest,
    search: Words = "",
    agent: Words = "",
    archived: bool = False,
    skip: int = 0,
    limit: Size = 100,
) -> SuiteList:
    """By name; `agent`: its own and the shared ones."""
    start = max(0, min(skip, 1_000_000))
    found = find_suites(text=search, agent=find_agent(agent) if agent else None, is_archived=archived)
    rows = list(found[start : start + limit + 1])
    following = next_page(request, skip=start + limit) if len(rows) > limit else None
    return SuiteList(items=[_suite(row) for row in rows[:limit]], next=following)


@router.post(
    "/evaluations/suites",
    auth=EDIT,
    response={201: SuiteAnswer},
    url_name="suites",
    summary="Create an evaluation suite",
)
def create(request: HttpRequest, response: HttpResponse, body: NewSuite) -> SuiteAnswer:
    """Without cases; put them in next."""
    suite = create_suite(
        name=body.name,
        description=body.description,
        agent=find_agent(body.agent) if body.agent else None,
        slug=body.slug or "",
        actor=actor_of(request),
    )
    response["Location"] = reverse("api:suite", args=[suite.slug])
    return _suite(suite)


@router.get(
    "/evaluations/suites/{slug:slug}", auth=READ, response=SuiteAnswer, url_name="suite", summary="Read a suite"
)
def read(request: HttpRequest, slug: str) -> SuiteAnswer:
    """Its newest revision."""
    return _suite(find_suite(slug))


@router.get(
    "/evaluations/suites/{slug:slug}/cases",
    auth=READ,
    response=CaseList,
    url_name="cases",
    summary="List a suite's cases",
)
def list_cases(
    request: HttpRequest, slug: str, revision: int | None = None, after: int = -1, limit: Size = 100
) -> CaseList:
    """In order; `revision` one that was, without it the newest."""
    suite = find_suite(slug)
    wanted = suite.latest if revision is None else suite.revisions.filter(number=revision).first()
    if wanted is None:
        raise Http404(f"The suite “{slug}” has no revision {revision}.")
    rows = list(SuiteEntry.objects.at(wanted).filter(position__gt=after).select_related("case")[: limit + 1])
    following = next_page(request, after=rows[limit - 1].position) if len(rows) > limit else None
    items = [case_document(row.case.load()) for row in rows[:limit]]
    return CaseList(revision=wanted.number, items=items, next=following)


@router.post(
    "/evaluations/suites/{slug:slug}/cases",
    auth=EDIT,
    response=SuiteAnswer,
    url_name="cases",
    summary="Change a suite's cases",
)
def change(request: HttpRequest, slug: str, body: CaseChanges) -> SuiteAnswer:
    """One revision for all of it, or nothing with every case that cannot be kept named."""
    suite = find_suite(slug)
    cases, problems = [], []
    for number, document in enumerate(body.put, 1):
        try:
            cases.append(read_case(document, f"Case {number}"))
        except BadCase as error:
            problems.append(str(error))
    if problems:
        raise CasesRefused("Some cases cannot be kept, so nothing was changed.", tuple(problems))
    try:
        change_cases(
            suite=suite, put=cases, remove=body.remove, is_whole=body.is_whole, seen=body.seen, actor=actor_of(request)
        )
    except BadCase as error:
        raise CasesRefused(str(error), (str(error),)) from error
    return _suite(find_suite(slug))


@router.post(
    "/evaluations/suites/{slug:slug}/import",
    auth=EDIT,
    response=ImportAnswer,
    url_name="import_cases",
    summary="Import a file of cases",
)
def import_file(
    request: HttpRequest, slug: str, is_whole: bool = False, skips_bad: bool = False, seen: int | None = None
) -> ImportAnswer:
    """The body is the file, read as a stream: its `Content-Type` says whether JSON, NDJSON, CSV or YAML. One revision
    for all of it; a case that cannot be kept refuses the file, unless `skips_bad`."""
    suite = find_suite(slug)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in FILE_NAMES:
        raise CasesRefused(f"Send the file as one of {', '.join(FILE_NAMES)} in Content-Type.", ())
    done = import_cases(
        suite=suite,
        name=FILE_NAMES[kind],
        stream=body_stream(request),
        is_whole=is_whole,
        skips_bad=skips_bad,
        seen=seen,
        actor=actor_of(request),
    )
    changed = done.changed
    return ImportAnswer(
        suite=_suite(find_suite(slug)),
        added=changed.added,
        replaced=changed.replaced,
        removed=changed.removed,
        unchanged=changed.unchanged,
        problems=list(done.problems),
    )


def find_suite(slug: str) -> EvaluationSuite:
    """The suite with its newest revision. Raises Http404 with a sentence."""
    suite: EvaluationSuite | None = EvaluationSuite.objects.select_related("agent", "latest").filter(slug=slug).first()
    if suite is None:
        raise Http404(f"There is no evaluation suite “{slug}”. GET /api/v1/evaluations/suites lists them.")
    return suite


def _suite(suite: EvaluationSuite) -> SuiteAnswer:
    latest = suite.latest
    assert latest is not None
    return SuiteAnswer(
        slug=suite.slug,
        name=suite.name,
        description=suite.description,
        agent=suite.agent.slug if suite.agent else None,
        revision=latest.number,
        digest=latest.digest,
        cases=latest.cases,
        archived_at=suite.archived_at,
    )
