"""`python -m bench.heard`: how long until every worker of two instances answers a number with the route just saved.

Two gunicorns of two workers each share a database. After each save every worker is asked, on a connection of its own,
until it answers with the new version. Once with NOTIFY, once with NOTIFY cut off, when only the look once a second is
left.
"""

import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from bench.scratch import scratch_database, start_django
from bench.servers import environment_for, serve

CHANNELS = 1_000
WORKERS = 4
CASES = (("with NOTIFY", 1_000, 200.0), ("with NOTIFY cut off", 40, 2_000.0))
"""Name, saves, and the p99 in ms that is allowed."""
SILENT = """
    CREATE OR REPLACE FUNCTION channels_log_channels() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO channels_routingchange (kind, key) SELECT 'channel', address FROM new_rows;
        RETURN NULL;
    END $$;
"""
"""The trigger that logs moved channels, without waking anybody."""


class Worker:
    """One worker process, by a connection that it keeps."""

    def __init__(self, connection: HTTPConnection, process: int, token: str) -> None:
        self.process = process
        self._connection = connection
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def version(self, number: str) -> int:
        """The version that this worker answers a number with."""
        self._connection.request("POST", "/api/v1/resolve", json.dumps({"number": number}), self._headers)
        answer = self._connection.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        return int(said["version"])


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from agentversions.models import Agent, User
    from bench.fleet import fill
    from channels.models import Channel
    from tests.database import as_owner
    from tests.factories import make_version

    token, numbers = fill(CHANNELS)
    make_version(Agent.objects.with_draft().get(slug="bench"), name="Second", welcome_message="Hello again.")
    actor, channel = User.objects.get(roles__contains=["admin"]), Channel.objects.get(address=numbers[1])
    missed = False
    print(f"{'case':<22} {'saves':>6} {'median ms':>10} {'p99 ms':>8} {'max ms':>8}  bar")
    with ExitStack() as stack:
        folders = (folder / "first", folder / "second")
        addresses = [
            stack.enter_context(serve("config.wsgi", 8340 + at, environment_for(each)))
            for at, each in enumerate(folders)
        ]
        # Once all run: a connection that waits for the next server is closed by the first.
        workers = [worker for address in addresses for worker in _workers_of(address, token)]
        assert len(workers) == WORKERS, f"{len(workers)} workers were reached, not {WORKERS}."
        for name, saves, bar in CASES:
            if "cut off" in name:
                from django.db import connection

                with as_owner(), connection.cursor() as cursor:
                    cursor.execute(SILENT)
            times = [_one_save(workers, channel, actor, 1 + at % 2) for at in range(saves)]
            p99 = quantiles(times, n=100)[98]
            missed = missed or p99 > bar
            print(
                f"{name:<22} {saves:>6} {median(times):>10.1f} {p99:>8.1f} {max(times):>8.1f}  "
                f"{bar:,.0f} ms {'MISSED' if p99 > bar else 'pass'}",
                flush=True,
            )
    return 1 if missed else 0


def _one_save(workers: list[Worker], channel: Any, actor: Any, version: int) -> float:
    """Milliseconds from the end of a save until the last worker answers with it."""
    from channels.core.routes import Follow, Target
    from channels.services.routes import pin

    heard: list[float] = []

    def wait(worker: Worker) -> None:
        while worker.version(channel.address) != version:
            time.sleep(0.002)
        heard.append(time.perf_counter())

    pin(channel=channel, target=Target("bench", Follow.VERSION, version), actor=actor)
    saved = time.perf_counter()
    threads = [threading.Thread(target=wait, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(heard) == len(workers), "A worker did not answer within 30 s."
    return (max(heard) - saved) * 1000


def _workers_of(address: str, token: str) -> list[Worker]:
    """One connection to each worker of an instance: connections are opened until both were reached."""
    parts, found = urlsplit(address), dict[int, Worker]()
    for _ in range(200):
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        connection.request("GET", "/readyz")
        process = int(json.loads(connection.getresponse().read())["worker"])
        if process in found:
            connection.close()
        else:
            found[process] = Worker(connection, process, token)
        if len(found) == 2:
            break
        time.sleep(0.02)
    return list(found.values())


if __name__ == "__main__":
    sys.exit(main())
