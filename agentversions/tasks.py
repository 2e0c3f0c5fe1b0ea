"""What workers do for Build; each task only calls its service."""

import contextlib

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext

from agentversions.services import approval_notices
from agentversions.services.errors import Refused
from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.starting import RUN_TASK, resume_runs
from agentversions.services.git.queue import SYNC_TASK, WRITE_TASK
from agentversions.services.git.source import find_source
from agentversions.services.git.syncing import synchronise
from agentversions.services.git.writing import write_published
from agentversions.services.sealing import seal_entries

SEALS = "seals"
"""A queue of its own: thousands of jobs a day, of which nobody wants to read."""


@app.periodic(cron="* * * * * */2")
@app.task(name="agentversions.seal_audit", queue=SEALS, queueing_lock="agentversions.seal_audit")
def seal_audit(timestamp: int) -> None:
    """Seal what was recorded, every two seconds."""
    seal_entries()


@app.periodic(cron="13 * * * *")
@app.task(name="agentversions.forget_seal_jobs", queueing_lock="agentversions.forget_seal_jobs", pass_context=True)
async def forget_seal_jobs(context: JobContext, timestamp: int) -> None:
    """Clear away the jobs that sealed; failed ones stay for whoever looks why."""
    await context.app.job_manager.delete_old_jobs(nb_hours=1, queue=SEALS)


@app.task(name=SYNC_TASK, queueing_lock=SYNC_TASK)
def sync_with_git(trigger: str) -> None:
    """Bring what was merged. What goes wrong stands on the page Git, and the next look tries again."""
    with contextlib.suppress(Refused):
        synchronise(trigger=trigger)


@app.periodic(cron="* * * * *")
@app.task(name="agentversions.git_poll", queueing_lock="agentversions.git_poll")
def look_at_git(timestamp: int) -> None:
    """The second line behind webhooks and behind jobs of publishing: look every minute, and write what waits."""
    source = find_source()
    if source is None or source.is_suspended:
        return
    with contextlib.suppress(Refused):
        synchronise(trigger="poll")
    with contextlib.suppress(Refused):
        write_published()


@app.task(name=WRITE_TASK, queueing_lock=WRITE_TASK, retry=RetryStrategy(max_attempts=6, exponential_wait=3))
def write_to_git() -> None:
    """Write what was published to the branch; tried again with growing pauses, then by the look of every minute."""
    write_published()


@app.task(name=RUN_TASK, retry=RetryStrategy(max_attempts=10, exponential_wait=2), pass_context=True)
def work_on_run(context: JobContext, run: int) -> None:
    """Work on an evaluation run; another worker that has the same job finds it held."""
    run_suite(run, must_end=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name="agentversions.resume_runs", queueing_lock="agentversions.resume_runs")
def resume_runs_again(timestamp: int) -> None:
    """The second line: whatever run nobody holds."""
    resume_runs()


PATIENT = RetryStrategy(max_attempts=10, exponential_wait=3)
"""For mail servers that are not ours: the tenth attempt comes eight hours after the first."""


@app.task(name=approval_notices.REQUEST_TASK, retry=PATIENT)
def send_approval_mail(request: int, kind: str, to: int) -> None:
    """Tell one person about a request for approval."""
    approval_notices.send_approval_mail(request=request, kind=kind, to=to)


@app.task(name=approval_notices.LIVE_TASK, retry=PATIENT)
def send_live_mail(deployment: int, version: int, kind: str, to: int) -> None:
    """Tell an author what became of their version."""
    approval_notices.send_live_mail(deployment=deployment, version=version, kind=kind, to=to)
