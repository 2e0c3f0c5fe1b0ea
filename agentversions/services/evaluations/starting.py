"""Starting and cancelling runs; a worker does the work, and a periodic task finds what a killed one left."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from agentversions.models import (
    Agent,
    AgentVersion,
    Configuration,
    EvaluationRun,
    EvaluationSuite,
    SuiteEntry,
    SuiteRevision,
    User,
)
from agentversions.models.database import ClockTimestamp
from agentversions.models.evaluation_runs import RunState
from agentversions.services.audit import record
from config.background import defer_once

from .asking import parameters_of
from .endpoints import find_endpoint, find_judge
from .errors import RunRefused

RUN_TASK = "agentversions.run_suite"
LANES = 2
"""Runs that workers work on at once."""
MAX_CONCURRENCY = 50
JUDGED = Q(case__body__contains='"kind":"judged"') | Q(case__body__contains='"match":"meaning"')


@transaction.atomic
def start_run(
    *,
    suite: EvaluationSuite,
    agent: Agent,
    version: AgentVersion | None = None,
    configuration: Configuration | None = None,
    commit: str = "",
    environment: str = "production",
    concurrency: int = 5,
    max_calls: int | None = None,
    max_cost: Decimal | None = None,
    is_fresh: bool = False,
    is_deferred: bool = True,
    actor: User,
) -> EvaluationRun:
    """Run a suite's newest revision against a version, or the draft as it is now; limits are of paid calls and money.

    `configuration`: against this one instead, which may be no version yet; `commit` is where git has it. `is_fresh`
    takes no kept answers. Not `is_deferred`: the caller does the work itself. Raises RunRefused, NoEndpoint.
    """
    revision = suite.latest
    _refuse_impossible(suite, revision, agent, concurrency, max_calls, max_cost)
    assert revision is not None
    configuration = configuration or (version.configuration if version else agent.draft)
    content = configuration.load()
    model = content.model
    endpoint = find_endpoint(environment=environment, provider=model.provider, model=model.name)
    judge = find_judge(environment) if SuiteEntry.objects.at(revision).filter(JUDGED).exists() else None
    if max_cost is not None and (endpoint.price is None or (judge is not None and judge.price is None)):
        raise RunRefused(
            "A budget in money needs prices: an admin adds them to LLM_ENDPOINTS. Or give a budget in calls.",
            "max_cost",
        )
    run = EvaluationRun.objects.create(
        revision=revision,
        agent=agent,
        configuration=configuration,
        version=version,
        environment=environment,
        settings={
            **endpoint.identity,
            "parameters": parameters_of(content),
            "judge": judge.identity if judge else None,
            **({"commit": commit} if commit else {}),
        },
        is_fresh=is_fresh,
        concurrency=concurrency,
        max_calls=max_calls,
        max_cost=max_cost,
        created_by=actor,
    )
    _audit("evaluation started", run, actor)
    if is_deferred:
        defer_run(run.pk)
    return run


@transaction.atomic
def cancel_run(*, run: EvaluationRun, actor: User) -> EvaluationRun:
    """Take no further cases; what is finished stays. A run that nobody works on ends at once."""
    locked: EvaluationRun = EvaluationRun.objects.select_for_update().get(pk=run.pk)
    if locked.has_ended or locked.cancelled_by_id is not None:
        return locked
    locked.cancelled_by = actor
    changed = ["cancelled_by"]
    free = Q(held_until=None) | Q(held_until__lt=ClockTimestamp())
    if EvaluationRun.objects.filter(free, pk=run.pk).exists():
        locked.state, locked.ended_at = RunState.CANCELLED, ClockTimestamp()
        changed += ["state", "ended_at"]
    locked.save(update_fields=changed)
    _audit("evaluation cancelled", locked, actor)
    return EvaluationRun.objects.get(pk=run.pk)


def defer_run(pk: int) -> bool:
    """Let a worker work on a run; False when one is told already."""
    return defer_once(RUN_TASK, once=f"evaluation {pk}", lock=f"evaluations {pk % LANES}", run=pk)


def resume_runs() -> int:
    """Let workers take up what nobody holds: what a killed one left. Gives how many."""
    left = EvaluationRun.objects.unfinished().filter(Q(held_until=None) | Q(held_until__lt=ClockTimestamp()))
    return sum(defer_run(pk) for pk in left.values_list("pk", flat=True))


def _refuse_impossible(
    suite: EvaluationSuite,
    revision: SuiteRevision | None,
    agent: Agent,
    concurrency: int,
    max_calls: int | None,
    max_cost: Decimal | None,
) -> None:
    if revision is None or not revision.cases:
        raise RunRefused("This suite has no cases yet. Add one, or import a file.", "suite")
    if suite.agent_id is not None and suite.agent_id != agent.pk:
        raise RunRefused("This suite belongs to another agent. Share it first, or choose another.", "suite")
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise RunRefused(f"Ask from 1 to {MAX_CONCURRENCY} questions at once.", "concurrency")
    if max_calls is not None and max_calls < 1:
        raise RunRefused("A budget in calls is at least 1; leave it empty for none.", "max_calls")
    if max_cost is not None and max_cost <= 0:
        raise RunRefused("A budget in money is more than 0; leave it empty for none.", "max_cost")


def _audit(action: str, run: EvaluationRun, actor: User) -> None:
    after: dict[str, Any] = {
        "run": run.pk,
        "suite": run.revision.suite.slug,
        "revision": run.revision.number,
        "digest": run.configuration_id,
        "version": run.version.number if run.version else None,
        "commit": run.settings.get("commit"),
    }
    record(action=action, subject_kind="agent", subject=run.agent.slug, after=after, actor=actor)
