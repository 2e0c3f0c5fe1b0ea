"""What workers do for Deploy; each task only calls its service."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from channels.models import Rollout, ScheduledChange
from channels.services.rollout_notices import MAIL_TASK, WEBHOOK_TASK, find_move, send_mail, send_webhook
from channels.services.rollout_starts import start_all_due, start_due
from channels.services.rollouts import START_TASK
from channels.services.schedule import RUN_TASK
from channels.services.scheduled_runs import run_due_steps, run_step

PATIENT = RetryStrategy(max_attempts=10, exponential_wait=3)
"""For receivers that are not ours: the tenth attempt comes eight hours after the first."""


@app.task(name=RUN_TASK, retry=RetryStrategy(max_attempts=10, exponential_wait=2))
def run_scheduled_step(change: int, step: str) -> None:
    """Make a planned change, or take it back; another worker that has the same job finds it done."""
    run_step(ScheduledChange.objects.get(pk=change), step)


@app.periodic(cron="* * * * *")
@app.task(name="channels.run_due_steps", queueing_lock="channels.run_due_steps")
def run_due_steps_again(timestamp: int) -> None:
    """The second line: whatever is due and was not made."""
    run_due_steps()


@app.task(name=START_TASK, retry=RetryStrategy(max_attempts=10, exponential_wait=2))
def start_planned_rollout(rollout: int) -> None:
    """Start a planned rollout; another worker that has the same job finds it started."""
    start_due(Rollout.objects.select_related("agent", "created_by").get(pk=rollout))


@app.periodic(cron="* * * * *")
@app.task(name="channels.start_due_rollouts", queueing_lock="channels.start_due_rollouts")
def start_due_rollouts(timestamp: int) -> None:
    """The second line: whatever is due and was not started."""
    start_all_due()


@app.task(name=WEBHOOK_TASK, retry=PATIENT)
def send_rollout_webhook(move: int) -> None:
    """Post one move of a rollout to the address of the settings."""
    send_webhook(find_move(move))


@app.task(name=MAIL_TASK, retry=PATIENT)
def send_rollout_mail(move: int) -> None:
    """Tell one move of a rollout by mail."""
    send_mail(find_move(move))
