"""One command starts everything and stops it; nothing it started outlives it, however it ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.assets import COLLECTED
from config.data_folder import PROJECT
from config.embedded_credentials import free_port

pytestmark = pytest.mark.skipif(
    not COLLECTED.exists(), reason="The static files are not collected (make test does it)."
)
SECONDS = 60


@contextmanager
def running(environment: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The supervisor, ready, and what it said so far."""
    with subprocess.Popen(
        [sys.executable, "-m", "config.run"],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as supervisor:
        said = ""
        assert supervisor.stdout
        while "Stop it with Ctrl-C" not in said:
            line = supervisor.stdout.readline()
            assert line, said
            said += line
        try:
            yield supervisor, said
        finally:
            supervisor.kill()


def processes(folder: Path, port: str) -> list[str]:
    """The command lines of everything that belongs to an installation."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        is_ours = f"AGENT_VERSIONS_DATA={folder}".encode() in environment and f"PORT={port}".encode() in environment
        if int(entry.name) != os.getpid() and ((is_ours and command) or str(folder) in command):
            found.append(command)
    return found


def wait_for(condition: "subprocess.Popen[str] | None", folder: Path, port: str, *, left: str = "") -> None:
    """Wait until nothing of an installation runs, but what `left` names."""
    until = time.monotonic() + SECONDS
    while any(not left or left not in command for command in processes(folder, port)):
        assert time.monotonic() < until, processes(folder, port)
        time.sleep(0.1)


def answers(port: str, address: str = "/accounts/login/", *, with_token: bool = False) -> int:
    """The status of an address; an unknown token makes the API read the database."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    headers = {"Authorization": "Bearer av_unknown"} if with_token else {}
    try:
        connection.request("GET", address, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def refusal(environment: dict[str, str]) -> str:
    """What the supervisor says when it does not start."""
    command = [sys.executable, "-m", "config.run"]
    result = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert result.returncode == 1
    return result.stderr


@pytest.fixture
def port(environment: dict[str, str]) -> str:
    """A free port, told to the supervisor."""
    environment["PORT"] = str(free_port())
    return environment["PORT"]


def test_one_command_starts_everything_and_ctrl_c_stops_it(
    data_folder: Path, environment: dict[str, str], port: str
) -> None:
    with running(environment) as (first, said):
        assert f"http://127.0.0.1:{port}" in said
        assert "pm@example.com" in said
        assert answers(port) == 200
        assert f"in use by the application at http://127.0.0.1:{port}" in refusal(environment)
        os.killpg(first.pid, signal.SIGINT)  # as a terminal's Ctrl-C does
        assert first.wait(SECONDS) == 0
    wait_for(first, data_folder, port)


def test_a_taken_port_is_one_sentence_with_the_way_out(environment: dict[str, str], port: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(port)))
        other.listen()
        assert refusal(environment) == (
            f"Port {port} of 127.0.0.1 cannot be used (another program has it); "
            f"choose another: PORT={int(port) + 1} make run\n"
        )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT must be a number from 1 to 65535, not 'eighty'.\n"),
        ({"DATABASE_URL": "mysql://u:hidden@h/d"}, "DATABASE_URL: The database URL must start with postgres://"),
        (
            {
                "DATABASE_URL": "postgres://u:hidden@127.0.0.1:1/d",
                "DATABASE_OWNER_URL": "postgres://u:hidden@127.0.0.1:1/d",
            },
            "The database does not answer:",
        ),
    ],
)
def test_what_cannot_work_is_one_sentence(
    environment: dict[str, str], port: str, variables: dict[str, str], sentence: str
) -> None:
    said = refusal({**environment, **variables})
    assert said.startswith(sentence)
    assert len(said.strip().splitlines()) == 1
    assert "hidden" not in said
