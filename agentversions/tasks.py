"""What workers do for Build; each task only calls its service."""

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.starting import RUN_TASK, resume_runs


@app.task(name=RUN_TASK, retry=RetryStrategy(max_attempts=10, exponential_wait=2), pass_context=True)
def work_on_run(context: JobContext, run: int) -> None:
    """Work on an evaluation run; another worker that has the same job finds it held."""
    run_suite(run, must_end=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name="agentversions.resume_runs", queueing_lock="agentversions.resume_runs")
def resume_runs_again(timestamp: int) -> None:
    """The second line: whatever run nobody holds."""
    resume_runs()
