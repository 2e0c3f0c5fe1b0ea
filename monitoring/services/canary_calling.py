"""Calls the judge when calls of a rollout arrive: a burst of them makes one look, a few seconds later."""

import contextlib
import time
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from agentversions.models.database import database_now
from config.background import defer

from .rows import Row

JUDGE_TASK = "monitoring.judge_rollouts"
SECONDS = 3.0
"""Between a call and the look at it; and the least between two looks."""
_called_until = 0.0


def call_judge(rows: Iterable[Row]) -> None:
    """Let a worker judge the rollouts soon, once the transaction is done, if these calls are a rollout's.

    Calls that came without a resolution are seen at the next minute, as are all when this fails.
    """
    if any("o" in (row.values["decision"] or ()) for row in rows):
        # Not inside the transaction: until it ended, the entry in the queue would hold back everybody else's.
        transaction.on_commit(_call, robust=True)


def _call() -> None:
    global _called_until
    if time.monotonic() < _called_until:
        return
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        defer(JUDGE_TASK, at=database_now() + timedelta(seconds=SECONDS), timestamp=0)
        # What this process entered waits until then, so that it sees everything that is stored before.
        _called_until = time.monotonic() + SECONDS / 2
