"""What workers do for Monitor; each task only calls its service."""

import logging
from datetime import timedelta

from procrastinate.contrib.django import app

from agentversions.models.database import database_now
from monitoring.services.partitions import count_in_default, make_partitions
from monitoring.services.retention import apply_retention

logger = logging.getLogger("monitoring.partitions")
MONTHS_AHEAD = 3


@app.periodic(cron="23 3 * * *")
@app.task(name="monitoring.make_partitions", queueing_lock="monitoring.make_partitions")
def make_partitions_ahead(timestamp: int) -> None:
    """Make the partitions of the coming months, and say it loudly when a call fell beside all of them."""
    now = database_now()
    make_partitions(now + timedelta(days=31 * month) for month in range(MONTHS_AHEAD + 1))
    if stray := count_in_default():
        logger.error("%d calls are in no month's partition: their times cannot be right.", stray)


@app.periodic(cron="41 3 * * *")
@app.task(name="monitoring.apply_retention", queueing_lock="monitoring.apply_retention")
def delete_old_contents(timestamp: int) -> None:
    """Delete transcripts and recordings of the months whose time is over."""
    for month in apply_retention():
        logger.info("Transcripts and recordings of %s are deleted.", month)
