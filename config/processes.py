"""The processes that `make run` starts beside the database: the application server and a worker."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from config.bootstrap import PYTHON
from config.data_folder import PROJECT

GRACE = 25
"""Seconds; longer than the graceful timeouts of gunicorn and of the worker."""
CALM = 10
"""Seconds between two starts of a worker that ends by itself."""

Process = subprocess.Popen[bytes]


class Worker:
    """One worker, started again when it ended by itself: planned changes wait for it."""

    def __init__(self) -> None:
        self._process = start("config.worker")
        self._started = time.monotonic()

    def revive(self) -> None:
        """Start it again if it has ended, and say so."""
        if self._process.poll() is None or time.monotonic() - self._started < CALM:
            return
        print(f"The worker ended (exit code {self._process.returncode}); it was started again.", flush=True)
        self._process, self._started = start("config.worker"), time.monotonic()

    def restart(self) -> None:
        """Start it anew, as when the database has another address."""
        stop(self._process)
        self._process, self._started = start("config.worker"), time.monotonic()

    def stop(self) -> None:
        """Let it finish what it does, then end it."""
        stop(self._process)


@contextmanager
def application_server(port: int) -> Iterator[Process]:
    """gunicorn, until the end of the block."""
    server = start("gunicorn", "--config", "config/gunicorn.conf.py", PORT=str(port))
    try:
        yield server
    finally:
        stop(server)


@contextmanager
def running_worker() -> Iterator[Worker]:
    """A worker, until the end of the block."""
    worker = Worker()
    try:
        yield worker
    finally:
        worker.stop()


def start(module: str, *arguments: str, **variables: str) -> Process:
    """A module in a session of its own: Ctrl-C reaches only the supervisor, which stops things in order."""
    return subprocess.Popen(
        [str(PYTHON), "-m", module, *arguments],
        cwd=PROJECT,
        env={**os.environ, **variables, "AGENT_VERSIONS_SUPERVISED": "1"},
        start_new_session=True,
    )


def stop(process: Process) -> None:
    """Ask it to end, and end it with all it started when it takes too long."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
