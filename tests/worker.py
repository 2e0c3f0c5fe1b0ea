"""Works on evaluation runs in a thread of the test, as a worker would."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from agentversions.models import EvaluationRun
from agentversions.services.evaluations.running import run_suite


@contextmanager
def working_on_runs() -> Iterator[None]:
    """Whatever run is unfinished is worked on until the end of the block; needs a database that commits."""
    ends = threading.Event()

    def work() -> None:
        try:
            while not ends.wait(0.1):
                for pk in EvaluationRun.objects.unfinished().values_list("pk", flat=True):
                    run_suite(pk)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()
