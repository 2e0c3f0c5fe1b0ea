"""Running the steps of planned changes: each once, by whichever worker comes first, for the person who planned it."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from agentversions.core.roles import Permission
from agentversions.models import Deployment
from agentversions.models.database import database_now
from agentversions.services.deployments import is_rollback, live_version, make_live, roll_back
from agentversions.services.errors import NotAllowed, Refused
from agentversions.services.freezes import refuse_frozen
from channels.models import Channel, ScheduledChange, ScheduledStep
from channels.models.schedule import Outcome, Step

from .batches import apply_moves, plan_moves, undo_batch
from .errors import ScheduleRefused
from .moves import in_words
from .schedule import lock_change, waiting_step

LATEST = timedelta(hours=1)
"""A change that no worker could make this long is not made any more: nobody expects it then. A return always is."""


@transaction.atomic
def run_step(change: ScheduledChange, step: str) -> ScheduledStep | None:
    """Make a step that is due; None when it has ended already, or its time has not come.

    A refusal (an archived agent, a freeze, a role that was taken away) changes nothing and is kept with its words.
    """
    lock_change(change)
    moment, now = change.at if step == Step.GO else change.back_at, database_now()
    if moment is None or waiting_step(change) != step or moment > now:
        return None
    try:
        with transaction.atomic():
            ended = _go(change) if step == Step.GO else _back(change)
    except Refused as refusal:
        ended = ScheduledStep(outcome=Outcome.REFUSED, words=str(refusal))
    ended.change, ended.step = change, step
    ended.save(force_insert=True)
    return ended


def run_due_steps() -> int:
    """Make every step that is due: the second line behind the job of each. Gives how many ended."""
    now = database_now()
    done = ScheduledStep.objects.filter(change=OuterRef("pk"), step=Step.GO, outcome=Outcome.DONE)
    due_go = ~Exists(ScheduledStep.objects.filter(change=OuterRef("pk"), step=Step.GO))
    due_back = (
        Q(back_at__lte=now)
        & Exists(done)
        & ~Exists(ScheduledStep.objects.filter(change=OuterRef("pk"), step=Step.BACK))
    )
    due = ScheduledChange.objects.filter(Q(due_go) | due_back, at__lte=now).order_by("at", "id")
    # The step is read again under the lock: another worker may have been quicker.
    ended = [run_step(change, step) for change in due for step in [waiting_step(change)] if step is not None]
    return sum(step is not None for step in ended)


def _go(change: ScheduledChange) -> ScheduledStep:
    _check_planner(change)
    now = database_now()
    if now - change.at > LATEST:
        raise ScheduleRefused("No worker was running at that time, and more than an hour has passed since.")
    if change.back_at is not None and change.back_at <= now:
        raise ScheduleRefused("No worker was running at that time, and the return would be due already.")
    return _go_live(change) if change.version is not None else _go_route(change)


def _go_live(change: ScheduledChange) -> ScheduledStep:
    version = change.version
    assert version is not None
    live = live_version(version.agent)
    if live == version:
        return ScheduledStep(outcome=Outcome.DONE, words=f"{version} was live already.")
    reason = _reason(change)
    if is_rollback(version, live):
        row = roll_back(agent=version.agent, to=version, reason=reason, actor=change.created_by)
    else:
        row = make_live(version=version, reason=reason, actor=change.created_by)
    return ScheduledStep(outcome=Outcome.DONE, words=f"{version} became live.", deployment=row)


def _go_route(change: ScheduledChange) -> ScheduledStep:
    assert change.route is not None
    channels = Channel.objects.filter(pk__in=change.items.values("channel"))
    moves = plan_moves(channels, change.route.plan)
    if not moves:
        return ScheduledStep(outcome=Outcome.DONE, words="All of them answered so already.")
    batch = apply_moves(moves=moves, summary=change.summary, reason=_reason(change), actor=change.created_by)
    count = f"{len(moves):,} number{' was' if len(moves) == 1 else 's were'}"
    return ScheduledStep(outcome=Outcome.DONE, words=f"{count} changed.", batch=batch)


def _back(change: ScheduledChange) -> ScheduledStep:
    _check_planner(change)
    gone = change.steps.get(step=Step.GO)
    if gone.batch is not None:
        batch, left = undo_batch(batch=gone.batch, reason=_reason(change), actor=change.created_by)
        words = f"Given back. Changed again since, so left as they are: {in_words(left)}." if left else "Given back."
        return ScheduledStep(outcome=Outcome.DONE, words=words, batch=batch)
    if gone.deployment is None:
        return ScheduledStep(outcome=Outcome.DONE, words="Nothing had been changed, so nothing was taken back.")
    return _back_live(change, gone.deployment)


def _back_live(change: ScheduledChange, gone: Deployment) -> ScheduledStep:
    agent = gone.agent
    live = agent.deployments.newest_first().select_related("version").first()
    if live is not None and live != gone:
        raise ScheduleRefused(f"Somebody made {live.version} live since, so it stays.")
    before = agent.deployments.filter(pk__lt=gone.pk).newest_first().first()
    if before is None:
        raise ScheduleRefused("Nothing was live before, so there is nothing to return to.")
    row = roll_back(agent=agent, to=before.version, reason=_reason(change), actor=change.created_by)
    return ScheduledStep(outcome=Outcome.DONE, words=f"{before.version} is live again.", deployment=row)


def _check_planner(change: ScheduledChange) -> None:
    refuse_frozen(reason=change.reason, actor=change.created_by)
    if not change.created_by.allows(Permission.ROUTE):
        raise NotAllowed(f"{change.created_by} planned it and may no longer change what answers. Plan it anew.")


def _reason(change: ScheduledChange) -> str:
    return change.reason or f"Planned on {change.created_at:%-d %b %Y}"
