"""Where `manage.py evaluate` works: here, beside the database, or over the HTTP API of a server that has it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx2
from django.core.management.base import CommandError
from django.urls import reverse

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.evaluations.report import Report
from agentversions.core.reading import write_document
from agentversions.models import Agent, Configuration, EvaluationRun, EvaluationSuite, User
from agentversions.services.comparison import find_side
from agentversions.services.evaluations.checking import Limits, agent_of_folder, report_of, start_check
from agentversions.services.evaluations.results import progress_of
from agentversions.services.evaluations.running import run_suite

FAILED = 2
"""The exit code when something could not be run; 1 says that the gate is shut."""
POLL_S = 1.0
PATIENCE = 5
"""Times in a row that a server may not answer."""
DEFERRING = {502, 503, 504}


@dataclass(frozen=True)
class Wanted:
    """What is evaluated: a `target` of an agent (a number, draft, live), or what its folder holds at a commit.

    `suites`: slugs; None: those that the agent requires. `with_live`: the gate is asked, so live is run too.
    """

    agent: str
    target: str | None = None
    content: AgentConfiguration | None = None
    commit: str = ""
    suites: tuple[str, ...] | None = None
    with_live: bool = False
    tolerance: float | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Moment:
    """How far a run is: its number, cases, and how many have which outcome."""

    run: int
    cases: int
    counts: dict[str, int]


Say = Callable[[Moment], None]


class Place(Protocol):
    """Runs what is wanted to its end."""

    def evaluate(self, wanted: Wanted, say: Say) -> Report | None:
        """The report; None where the agent is not there before the merge. Raises CommandError and Refused."""

    def address(self, run: int) -> str:
        """The page of a run."""


@dataclass(frozen=True)
class Here:
    """Beside the database: the work is done in this process."""

    actor: Callable[[], User]

    def evaluate(self, wanted: Wanted, say: Say) -> Report | None:
        """Start the runs and work on them."""
        actor = self.actor()
        agent = _find_agent(wanted)
        if agent is None:
            return None
        suites = None if wanted.suites is None else [_find_suite(slug) for slug in wanted.suites]
        if wanted.content is not None:
            configuration, version = Configuration.objects.store(wanted.content), None
        else:
            side = find_side(agent, wanted.target or "draft")
            configuration, version = side.configuration, side.version
        runs = start_check(
            agent=agent,
            configuration=configuration,
            version=version,
            commit=wanted.commit,
            suites=suites,
            with_live=wanted.with_live,
            limits=wanted.limits,
            is_deferred=False,
            actor=actor,
        )
        for run in runs:
            run_suite(run.pk, say=lambda run=run: say(_moment(run)))  # type: ignore[misc]
            run.refresh_from_db()
            _refuse_unfinished(run.pk, run.state, run.stopped_by)
        return report_of(agent=agent, digest=configuration.digest, suites=suites, tolerance=wanted.tolerance)

    def address(self, run: int) -> str:
        """Without a server, the path alone."""
        return reverse("agentversions:run_detail", args=[run])


@dataclass(frozen=True)
class There:
    """Over HTTP: a server's workers do the work, and nothing here touches a database. `token` is an API token."""

    server: str
    token: str
    wait_s: float = 3600

    def evaluate(self, wanted: Wanted, say: Say) -> Report | None:
        """Start the runs, wait for their end, read the report."""
        with httpx2.Client(
            base_url=f"{self.server.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        ) as client:
            started = self._call(client, "POST", "/evaluations/checks", json=_body(wanted))
            if started["agent"] is None:
                return None
            self._wait(client, started["runs"], say)
            query: dict[str, Any] = {} if wanted.suites is None else {"suite": list(wanted.suites)}
            if wanted.tolerance is not None:
                query["tolerance"] = wanted.tolerance
            path = f"/agents/{started['agent']}/evaluations/{started['digest']}"
            return Report.model_validate(self._call(client, "GET", path, params=query))

    def address(self, run: int) -> str:
        """On the server."""
        return f"{self.server.rstrip('/')}{reverse('agentversions:run_detail', args=[run])}"

    def _wait(self, client: httpx2.Client, runs: list[dict[str, Any]], say: Say) -> None:
        deadline = time.monotonic() + self.wait_s
        for run in runs:
            while run["ended_at"] is None:
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"Run {run['id']} has not ended after {self.wait_s:g} s. Does a worker run on the server?",
                        returncode=FAILED,
                    )
                time.sleep(POLL_S)
                run = self._call(client, "GET", f"/evaluations/runs/{run['id']}")
                say(Moment(run["id"], run["cases"], run["counts"]))
            _refuse_unfinished(run["id"], run["state"], run["stopped_by"])

    def _call(self, client: httpx2.Client, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer; a GET is tried again for a while."""
        for attempt in range(1, PATIENCE + 1):
            is_last = method != "GET" or attempt == PATIENCE
            try:
                answer = client.request(method, path, **options)
            except httpx2.HTTPError as error:
                if is_last:
                    raise CommandError(f"{self.server} cannot be reached: {error}", returncode=FAILED) from error
            else:
                if answer.is_success:
                    return answer.json()
                if is_last or answer.status_code not in DEFERRING:
                    raise CommandError(
                        f"{self.server} answered {answer.status_code}: {_said(answer)}", returncode=FAILED
                    )
            time.sleep(POLL_S)
        raise AssertionError(path)


def _find_agent(wanted: Wanted) -> Agent | None:
    if wanted.content is not None:
        return agent_of_folder(wanted.agent)
    agent: Agent | None = Agent.objects.with_draft().filter(slug=wanted.agent).first()
    if agent is None:
        raise CommandError(f"There is no agent “{wanted.agent}”.", returncode=FAILED)
    return agent


def _find_suite(slug: str) -> EvaluationSuite:
    suite: EvaluationSuite | None = EvaluationSuite.objects.select_related("latest", "agent").filter(slug=slug).first()
    if suite is None:
        raise CommandError(f"There is no suite “{slug}”.", returncode=FAILED)
    return suite


def _moment(run: EvaluationRun) -> Moment:
    progress = progress_of(run)
    return Moment(run.pk, progress.cases, progress.counts)


def _refuse_unfinished(run: int, state: str, why: str) -> None:
    if state != "done":
        raise CommandError(f"Run {run} ended early: {why or 'it was cancelled.'}", returncode=FAILED)


def _body(wanted: Wanted) -> dict[str, Any]:
    limits = wanted.limits
    body: dict[str, Any] = {
        "suites": None if wanted.suites is None else list(wanted.suites),
        "with_live": wanted.with_live,
        "environment": limits.environment,
        "concurrency": limits.concurrency,
        "max_calls": limits.max_calls,
        "max_cost": None if limits.max_cost is None else f"{limits.max_cost:f}",
        "is_fresh": limits.is_fresh,
    }
    if wanted.content is None:
        return body | {"agent": wanted.agent, "target": wanted.target}
    return body | {
        "folder": wanted.agent,
        "configuration": write_document(wanted.content),
        "commit": wanted.commit,
    }


def _said(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])[:1_000]
    except (ValueError, KeyError, TypeError):
        return "Is this the address of Agent Versions?"
