"""Planning a change for a moment, taking it back by itself later, and calling it off until it runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from agentversions.models import AgentVersion, User
from agentversions.models.database import database_now
from agentversions.services.audit import record
from agentversions.services.draft_pointer import refuse_archived
from agentversions.services.freezes import refuse_frozen
from channels.core.routes import RoutePlan
from channels.models import Channel, ScheduledChange, ScheduledChannel, ScheduledStep
from channels.models.schedule import Outcome, Step
from config.background import defer

from .channels import read_time_zone
from .errors import ScheduleRefused
from .routes import store_route

FURTHEST = timedelta(days=2 * 366)
RUN_TASK = "channels.run_scheduled_step"


@transaction.atomic
def schedule_route(
    *,
    channels: Sequence[Channel],
    plan: RoutePlan,
    at: datetime,
    back_at: datetime | None = None,
    time_zone: str,
    reason: str = "",
    actor: User,
) -> ScheduledChange:
    """At a moment these channels answer with this plan; at `back_at` each answers again with what it did before.

    Raises ScheduleRefused, RouteRefused, and RoutesFrozen when a freeze window is open then.
    """
    if not channels:
        raise ScheduleRefused("No number was chosen. Choose those that change.", "channels")
    route = store_route(plan)
    what = str(channels[0]) if len(channels) == 1 else f"{len(channels):,} numbers"
    change = _plan(
        f"{what} to {route}", {"route": route}, at=at, back_at=back_at, time_zone=time_zone, reason=reason, actor=actor
    )
    ScheduledChannel.objects.bulk_create(
        [ScheduledChannel(change=change, channel=channel) for channel in channels], batch_size=5_000
    )
    return change


@transaction.atomic
def schedule_live(
    *,
    version: AgentVersion,
    at: datetime,
    back_at: datetime | None = None,
    time_zone: str,
    reason: str = "",
    actor: User,
) -> ScheduledChange:
    """At a moment this version becomes live; at `back_at` the one that was live before becomes live again.

    Raises ScheduleRefused, AgentArchived, and RoutesFrozen when a freeze window is open then.
    """
    refuse_archived(version.agent)
    summary = f"{version.agent.slug} {version} live"
    return _plan(summary, {"version": version}, at=at, back_at=back_at, time_zone=time_zone, reason=reason, actor=actor)


def _plan(
    summary: str,
    what: dict[str, Any],
    *,
    at: datetime,
    back_at: datetime | None,
    time_zone: str,
    reason: str,
    actor: User,
) -> ScheduledChange:
    reason, now = reason.strip(), database_now()
    if at <= now:
        raise ScheduleRefused("That moment has passed. Choose a later one, or make the change at once.", "at")
    if back_at is not None and back_at <= at:
        raise ScheduleRefused("The return is not after the change. Choose a later moment, or leave it out.", "back_at")
    if (back_at or at) > now + FURTHEST:
        raise ScheduleRefused("That is more than two years ahead. Choose an earlier moment.", "at")
    for moment in filter(None, (at, back_at)):
        refuse_frozen(reason=reason, at=moment, actor=actor)
    change = ScheduledChange.objects.create(
        summary=summary[:300],
        at=at,
        back_at=back_at,
        time_zone=read_time_zone(time_zone),
        reason=reason,
        created_by=actor,
        **what,
    )
    defer(RUN_TASK, at=at, change=change.pk, step=Step.GO.value)
    if back_at is not None:
        defer(RUN_TASK, at=back_at, change=change.pk, step=Step.BACK.value)
    times = {"at": at.isoformat(), "back_at": back_at.isoformat() if back_at else None}
    record(
        action="change planned",
        subject_kind="planned change",
        subject=str(change.pk),
        reason=reason,
        after={"summary": summary, **times},
        actor=actor,
    )
    return change


def lock_change(change: ScheduledChange) -> None:
    """Let nobody else run or cancel a step of this change until the transaction ends."""
    # Its row cannot be locked: the application's role may not change it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('scheduled change'), %s)", [change.pk])


@transaction.atomic
def cancel_scheduled(*, change: ScheduledChange, reason: str = "", actor: User) -> ScheduledStep:
    """Call off what has not happened yet: the change, or the return of one that was made.

    Raises ScheduleRefused when nothing is left to call off.
    """
    lock_change(change)
    waiting = waiting_step(change)
    if waiting is None:
        raise ScheduleRefused("Nothing is left to cancel: it has happened, or was cancelled already.")
    words = "Cancelled before it happened." if waiting == Step.GO else "The return was cancelled: it stays as it is."
    step = ScheduledStep.objects.create(
        change=change, step=waiting, outcome=Outcome.CANCELLED, words=reason.strip() or words, by=actor
    )
    record(
        action="planned change cancelled" if waiting == Step.GO else "planned return cancelled",
        subject_kind="planned change",
        subject=str(change.pk),
        reason=reason.strip(),
        after={"summary": change.summary},
        actor=actor,
    )
    return step


def waiting_step(change: ScheduledChange) -> str | None:
    """The step that is still to come: `go`, `back`, or None."""
    ended = {step.step: step.outcome for step in change.steps.all()}
    if Step.GO not in ended:
        return Step.GO
    if change.back_at is not None and ended[Step.GO] == Outcome.DONE and Step.BACK not in ended:
        return Step.BACK
    return None
