"""What workers do for Build; each task only calls its service."""

import contextlib

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from agentversions.services.errors import Refused
from agentversions.services.git.queue import SYNC_TASK, WRITE_TASK
from agentversions.services.git.source import find_source
from agentversions.services.git.syncing import synchronise
from agentversions.services.git.writing import write_published


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
