"""The supervisor is killed: what it started ends, and the next start is quick and loads nothing twice."""

import time
from pathlib import Path

from config.embedded_credentials import free_port
from tests.platform.test_run import SECONDS, answers, running, wait_for


def test_killed_and_started_again(data_folder: Path, environment: dict[str, str]) -> None:
    environment["PORT"] = port = str(free_port())
    with running(environment) as (first, said):
        assert "pm@example.com" in said
        first.kill()
    wait_for(first, data_folder, port, left="postgres")

    started = time.monotonic()
    with running(environment) as (second, said):
        assert time.monotonic() - started < SECONDS
        assert "Loading the demo" not in said
        assert "pm@example.com" in said
        assert answers(port) == 200
        second.terminate()
        assert second.wait(SECONDS) == 0
    wait_for(second, data_folder, port)
