"""A worker: runs what is due, on a connection pool of its own. `python -m config.worker`; start as many as you like."""

import logging
import os
import signal
import sys
import time

import django
import psycopg
from procrastinate.exceptions import ConnectorException

from config import metrics
from config.origin import task_origin
from config.parent_death import stop_with_parent

logger = logging.getLogger("agent_versions.worker")
PAUSE = 2  # seconds before asking a database again that was away


def run_worker() -> None:
    """Work until told to stop; wait while the database is away."""
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.django_connector import DjangoConnector

    connector = app.connector
    assert isinstance(connector, DjangoConnector)
    said = ""
    while True:
        try:
            with app.replace_connector(connector.get_worker_connector()) as worker_app:
                worker_app.run_worker(task_middleware=[task_origin])
        except (ConnectorException, psycopg.Error, OSError) as error:
            # One line per reason, not one every two seconds of an outage.
            if str(error) != said:
                logger.warning("The database is away; the worker waits for it: %s", error)
            said = str(error)
            time.sleep(PAUSE)
        else:
            return


def main() -> int:
    """Exit code 0 after SIGTERM or Ctrl-C."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if os.environ.get("AGENT_VERSIONS_SUPERVISED"):
        stop_with_parent()
    # Before procrastinate takes the signals over, and while it waits for the database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    metrics.count_in(f"{metrics.WORKER}{os.getpid()}")
    django.setup()
    try:
        run_worker()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
