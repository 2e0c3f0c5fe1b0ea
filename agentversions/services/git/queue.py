"""Asks a worker to sync or to write, in the caller's transaction; a request that waits already is not repeated."""

import contextlib

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from agentversions.models import GitSource
from agentversions.models.database import database_now
from config.background import defer

SYNC_TASK = "agentversions.git_sync"
WRITE_TASK = "agentversions.git_write"


def queue_sync(trigger: str) -> None:
    """Let a worker look at the repository now."""
    _queue(SYNC_TASK, trigger=trigger)


def queue_writing() -> None:
    """Let a worker write what was published here to the repository, if that is asked for."""
    if GitSource.objects.filter(is_suspended=False).exclude(write_branch="").exists():
        _queue(WRITE_TASK)


def _queue(task: str, **arguments: str) -> None:
    # A savepoint: a request that waits already is refused by PostgreSQL, and the caller's transaction goes on.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        defer(task, at=database_now(), **arguments)
