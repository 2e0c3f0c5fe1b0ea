"""Settings of gunicorn, the application server (docs/operations.md has the table of variables)."""

import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from config import metrics
from config.json_logs import JsonFormatter
from config.parent_death import stop_with_parent

SWITCH_INTERVAL = 0.0005
"""Seconds (Python's own is 0.005): how long a thread that makes a page may keep a call's thread waiting."""
NICENESS = int(os.environ.get("WEB_NICE") or 0)
"""Above 0 where the runtime has processes of its own: on a busy machine calls come before pages."""


class JsonLogger(Logger):
    """gunicorn's own lines in the form of all others."""

    def setup(self, cfg: Config) -> None:
        """Replace the form, keep where the lines go."""
        super().setup(cfg)  # type: ignore[no-untyped-call]
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(JsonFormatter())


def post_worker_init(worker: Any) -> None:
    """Let the worker follow the log of routing changes; threads begin after the fork or not at all."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    if NICENESS:
        os.nice(NICENESS)
    start = getattr(worker.wsgi, "start", None)
    if start is not None:
        start()


def on_starting(server: Any) -> None:
    """Before the first worker: what an earlier start counted is forgotten."""
    metrics.begin(GROUP)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker counted stays; how old its memory is does not."""
    metrics.bury(worker.pid)


wsgi_app = os.environ.get("WSGI_APP") or "config.wsgi"
GROUP = wsgi_app.partition(":")[0].rpartition(".")[2]
metrics.count_in(GROUP)  # before anything imports prometheus_client
bind = f"{os.environ.get('BIND_HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)
preload_app = False  # each worker opens its own connections and threads, after the fork
timeout = 60
graceful_timeout = 20
keepalive = 5
accesslog = "-" if os.environ.get("ACCESS_LOG") else None
control_socket_disable = True
loglevel = "warning"
logger_class = JsonLogger
if Path("/dev/shm").is_dir():  # noqa: S108 heartbeats of the workers: a disk that waits must not look like a dead worker
    worker_tmp_dir = "/dev/shm"  # noqa: S108

if os.environ.get("AGENT_VERSIONS_SUPERVISED"):
    stop_with_parent()
