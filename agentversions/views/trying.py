"""Try it: a conversation in text with the draft or any version, two side by side, tools answered by hand."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.evaluations.cases import Fixture
from agentversions.core.roles import Permission
from agentversions.forms.evaluations import CaseForm
from agentversions.models import Agent
from agentversions.services.comparison import Side, find_side
from agentversions.services.errors import NotLive, UnknownVersion
from agentversions.services.evaluations.cases import find_entry
from agentversions.services.evaluations.endpoints import ENVIRONMENTS, find_endpoint
from agentversions.services.evaluations.errors import RunRefused
from agentversions.services.evaluations.suites import find_suites
from agentversions.services.evaluations.trying import Tried, begin, go_on, read_fixtures, read_state, turns_of

from .access import agent_or_404, page
from .evaluations import suite_or_404

SIDES = ("left", "right")


@dataclass(frozen=True)
class Column:
    """One side of the page: which version, and its conversation."""

    name: str
    side: Side
    configuration: AgentConfiguration
    tried: Tried


@page(Permission.EDIT, "GET", "POST")
def try_agent(request: HttpRequest, slug: str) -> HttpResponse:
    """The page; a POST says something, or what tools answer, and shows how each side goes on."""
    agent = agent_or_404(slug)
    sent = request.POST if request.method == "POST" else request.GET
    refusal, text = "", sent.get("text", "").replace("\x00", "")
    try:
        columns = _columns(agent, sent)
        if request.method == "POST" and not sent.get("anew"):
            columns, text = _go_on(columns, sent, read_fixtures(sent.get("fixtures", ""))), ""
    except (RunRefused, UnknownVersion, NotLive) as error:
        refusal, columns = str(error), _kept(agent, sent)
    context = {
        "agent": agent,
        "columns": columns,
        "right": sent.get("right", ""),
        "left": sent.get("left", "draft"),
        "environment": sent.get("environment", "production"),
        "environments": ENVIRONMENTS,
        "fixtures": sent.get("fixtures", "") or _fixtures_of_case(sent),
        "suites": find_suites(agent=agent),
        "text": text,
        "refusal": refusal,
    }
    return render(request, "agentversions/try_agent.html", context, status=422 if refusal else 200)


@page(Permission.EDIT, "POST")
def try_save(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of a new case, filled with one side's conversation."""
    agent = agent_or_404(slug)
    suite = suite_or_404(request.POST.get("suite", "").replace("\x00", ""))
    column = next((one for one in _kept(agent, request.POST) if one.name == request.POST.get("side")), None)
    if column is None:
        raise Http404("Choose the conversation to save.")
    document = turns_of(column.tried)
    context = {"suite": suite, "form": CaseForm.of(document), "name": ""}
    return render(request, "agentversions/case_form.html", context)


def _columns(agent: Agent, sent: QueryDict) -> list[Column]:
    found = []
    for name in SIDES:
        address = sent.get(name, "draft" if name == "left" else "").strip().removeprefix("V")
        if address:
            side = find_side(agent, address)
            configuration = side.configuration.load()
            is_anew = bool(sent.get("anew")) or sent.get(f"{name}_was", address) != address
            tried = begin(configuration) if is_anew else read_state(sent.get(f"{name}_state", ""), configuration)
            found.append(Column(name, side, configuration, tried))
    return found


def _kept(agent: Agent, sent: QueryDict) -> list[Column]:
    """The columns that can be shown after a refusal: what was said so far is not lost."""
    found = []
    for name in SIDES:
        only = QueryDict(mutable=True)
        only["left"] = ""
        for field in (name, f"{name}_state", f"{name}_was"):
            if field in sent:
                only[field] = sent.get(field, "")
        try:
            found += _columns(agent, only)
        except (RunRefused, UnknownVersion, NotLive):
            continue
    return found


def _go_on(columns: list[Column], sent: QueryDict, fixtures: tuple[Fixture, ...]) -> list[Column]:
    text, environment = sent.get("text", "").replace("\x00", ""), sent.get("environment", "production")

    def one(column: Column) -> Column:
        model = column.configuration.model
        tried = go_on(
            configuration=column.configuration,
            endpoint=find_endpoint(environment=environment, provider=model.provider, model=model.name),
            tried=column.tried,
            text=text,
            answers={
                call.id: sent.get(f"{column.name}_tool_{call.id}", "").replace("\x00", "")
                for call in column.tried.waiting
            },
            fixtures=fixtures,
        )
        return Column(column.name, column.side, column.configuration, tried)

    # Nothing here touches the database, so both sides are asked at once.
    with ThreadPoolExecutor(len(SIDES)) as pool:
        return list(pool.map(one, columns))


def _fixtures_of_case(sent: QueryDict) -> str:
    """What tools answer in a case that the address names (`?suite=…&case=…`)."""
    suite, case = sent.get("suite", "").replace("\x00", ""), sent.get("case", "").replace("\x00", "")
    if not suite or not case:
        return ""
    entry = find_entry(suite_or_404(suite), case)
    return CaseForm.of_case(entry.case.load()).fields["fixtures"] if entry else ""
