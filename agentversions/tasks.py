"""What workers do for Build; each task only calls its service."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext

from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.starting import RUN_TASK, resume_runs
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


@app.task(name=RUN_TASK, retry=RetryStrategy(max_attempts=10, exponential_wait=2), pass_context=True)
def work_on_run(context: JobContext, run: int) -> None:
    """Work on an evaluation run; another worker that has the same job finds it held."""
    run_suite(run, must_end=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name="agentversions.resume_runs", queueing_lock="agentversions.resume_runs")
def resume_runs_again(timestamp: int) -> None:
    """The second line: whatever run nobody holds."""
    resume_runs()
