"""What workers do for Build; each task only calls its service."""

from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext

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
