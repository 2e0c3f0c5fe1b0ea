"""Work at a later time, in PostgreSQL: deferring it in the caller's transaction, and picking up what a worker left."""

from datetime import datetime
from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.job_context import JobContext

KEPT_HOURS = 7 * 24
"""Finished jobs are kept this long, for whoever looks why something did not happen."""


def defer(task: str, *, at: datetime | None = None, **arguments: Any) -> None:
    """Let a worker run a task by its name at a moment (None: at once). A rollback of the caller undoes it."""
    app.configure_task(task, schedule_at=at).defer(**arguments)


def defer_once(task: str, *, once: str, lock: str, **arguments: Any) -> bool:
    """Let a worker run a task as soon as no other job has its `lock`; False when one waits already under `once`."""
    try:
        with transaction.atomic():
            app.configure_task(task, queueing_lock=once, lock=lock).defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True


@app.periodic(cron="* * * * *")
@app.task(name="config.retry_stalled_jobs", queueing_lock="config.retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Give the jobs of killed workers to others; the manager knows them by their missing heartbeats."""
    for job in await context.app.job_manager.get_stalled_jobs():
        await context.app.job_manager.retry_job(job)


@app.periodic(cron="17 4 * * *")
@app.task(name="config.delete_old_jobs", queueing_lock="config.delete_old_jobs", pass_context=True)
async def delete_old_jobs(context: JobContext, timestamp: int) -> None:
    """Clear away what finished long ago, failed jobs too."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
