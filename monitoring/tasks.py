"""What workers do for Monitor; each task only calls its service."""

import contextlib
import logging
from datetime import timedelta

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from agentversions.models.database import database_now
from config.background import defer
from monitoring.services.canary_calling import JUDGE_TASK
from monitoring.services.canary_judge import judge_all
from monitoring.services.partitions import count_in_default, make_partitions
from monitoring.services.replaying import replay
from monitoring.services.retention import apply_retention
from monitoring.services.spool import the_spool

logger = logging.getLogger("monitoring.partitions")
canary = logging.getLogger("monitoring.canary")
MONTHS_AHEAD = 3
SECONDS_OF_REPLAY = 5.0


@app.periodic(cron="23 3 * * *")
@app.task(name="monitoring.make_partitions", queueing_lock="monitoring.make_partitions")
def make_partitions_ahead(timestamp: int) -> None:
    """Make the partitions of the coming months, and say it loudly when a call fell beside all of them."""
    now = database_now()
    make_partitions(now + timedelta(days=31 * month) for month in range(MONTHS_AHEAD + 1))
    if stray := count_in_default():
        logger.error("%d calls are in no month's partition: their times cannot be right.", stray)


@app.periodic(cron="* * * * *")
@app.task(name="monitoring.replay_spool", queueing_lock="monitoring.replay_spool")
def replay_spool(timestamp: int) -> None:
    """Take in the call records that were kept on this machine while the database was away.

    A few seconds at a time, so that planned changes are made in between.
    """
    if replay(seconds=SECONDS_OF_REPLAY) and the_spool().has_waiting:
        with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
            defer("monitoring.replay_spool", at=database_now(), timestamp=timestamp)


@app.periodic(cron="* * * * *")
@app.task(name=JUDGE_TASK, queueing_lock=JUDGE_TASK)
def judge_rollouts(timestamp: int) -> None:
    """Judge the rollouts: every minute, because times run out and silent calls call nobody, and when calls arrived."""
    for judged in judge_all():
        if judged.move is not None or judged.refusal:
            canary.info("Rollout %d: %s %s", judged.rollout.pk, judged.words, judged.refusal)


@app.periodic(cron="41 3 * * *")
@app.task(name="monitoring.apply_retention", queueing_lock="monitoring.apply_retention")
def delete_old_contents(timestamp: int) -> None:
    """Delete transcripts and recordings of the months whose time is over."""
    for month in apply_retention():
        logger.info("Transcripts and recordings of %s are deleted.", month)
