"""The supervisor keeps the application serving while the embedded PostgreSQL cannot be started, and heals it."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.assets import COLLECTED
from config.embedded_credentials import free_port, load_credentials
from config.embedded_layout import find_layout
from tests.platform.test_run import answers, running

pytestmark = pytest.mark.skipif(
    not COLLECTED.exists(), reason="The static files are not collected (make test does it)."
)


def prepare(data_folder: Path, environment: dict[str, str]) -> str:
    """A free port for an installation that will not load the demo."""
    data_folder.mkdir(mode=0o700)
    (data_folder / "demo_loaded").touch(mode=0o600)
    environment["PORT"] = str(free_port())
    return environment["PORT"]


def kill_postgres() -> None:
    """Kill the server's first process; the others end with it."""
    os.kill(int((find_layout().data / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGKILL)


def wait_until(is_so: Callable[[], bool], seconds: float = 45) -> None:
    """Wait for something that takes a moment."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.2)


def api_answers(port: str) -> bool:
    """Whether the API can read the database again; a worker that is being replaced may refuse."""
    try:
        return answers(port, "/api/v1/agents", with_token=True) == 401
    except OSError:
        return False


def test_the_application_outlives_a_database_that_does_not_start(
    data_folder: Path, environment: dict[str, str]
) -> None:
    port = prepare(data_folder, environment)
    with running(environment) as (supervisor, _):
        version = find_layout().data / "PG_VERSION"
        version.write_text("16\n")
        kill_postgres()
        time.sleep(6)
        assert supervisor.poll() is None
        assert answers(port, "/healthz") == 200
        assert answers(port, "/api/v1/agents", with_token=True) == 503
        version.write_text("18\n")
        wait_until(lambda: api_answers(port))
        supervisor.terminate()
        assert supervisor.wait(60) == 0


def test_the_application_follows_a_database_whose_port_was_taken(
    data_folder: Path, environment: dict[str, str]
) -> None:
    port = prepare(data_folder, environment)
    with running(environment) as (supervisor, _), socket.socket() as other:
        before = load_credentials().port
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kill_postgres()
        wait_until(lambda: not takes_connections(before), 5)
        other.bind(("127.0.0.1", before))
        other.listen()
        wait_until(lambda: load_credentials().port != before)
        wait_until(lambda: api_answers(port))
        supervisor.terminate()
        assert supervisor.wait(60) == 0


def takes_connections(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
