"""A whole installation of its own for a fault test: its own PostgreSQL, its own gunicorn, killed without mercy."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg

PROJECT = Path(__file__).resolve().parents[2]


class Installation:
    """Starts, kills and restarts the product in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")},
            "AGENT_VERSIONS_DATA": str(folder),
            "PORT": str(self.port),
            "DEBUG": "1",
        }
        self.server: subprocess.Popen[bytes] | None = None

    def set_up(self) -> None:
        """A migrated database with its roles, and a running server."""
        self.start_database()
        for command in (["migrate", "--verbosity=0"], ["apply_privileges"]):
            self.manage(*command, AGENT_VERSIONS_DB_ROLE="owner")
        self.start_server()

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a management command; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_database(self) -> None:
        """Start this installation's PostgreSQL; also after it was killed."""
        self._database("start")

    def url(self, *, owner: bool = False) -> str:
        """The address of this installation's database."""
        index = 0 if owner else 1
        code = f"import config.embedded_postgres as server; print(server.ensure_running()[{index}])"
        return self._python("-c", code).strip()

    def kill_database(self) -> None:
        """Kill every process of this PostgreSQL at once, as a crashed machine would."""
        self._signal_database(signal.SIGKILL)

    def freeze_database(self) -> None:
        """Stop every process of this PostgreSQL where it is: it takes connections and answers nothing."""
        self._signal_database(signal.SIGSTOP)

    def thaw_database(self) -> None:
        """Let them go on."""
        self._signal_database(signal.SIGCONT)

    def _signal_database(self, number: signal.Signals) -> None:
        postmaster = int(self._postmaster_pid())
        for pid in (postmaster, *_children_of(postmaster)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill_server(self) -> None:
        """Kill gunicorn's master and workers at once."""
        assert self.server is not None
        for pid in (self.server.pid, *_children_of(self.server.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.server.wait(timeout=30)

    def start_server(self, ready: str = "/accounts/login/") -> None:
        """Start gunicorn and wait until it answers at an address."""
        self.server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "config.wsgi"],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}{ready}", timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError("The server did not answer within 30 s.")

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill_a_worker(self) -> None:
        """Kill one gunicorn worker with -9; its master starts another."""
        assert self.server is not None
        for pid in _children_of(self.server.pid)[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with psycopg.connect(self.url()) as connection:
            return connection.execute(statement.encode()).fetchall()

    def tear_down(self) -> None:
        """Stop everything that still runs and remove the cluster."""
        if self.server is not None:
            self.server.kill()
            self.server.wait(timeout=30)
        self._database("stop")

    def _database(self, word: str) -> None:
        self._python("-m", "config.embedded_postgres", word)

    def _postmaster_pid(self) -> str:
        code = (
            "from config.embedded_layout import find_layout; print((find_layout().data / 'postmaster.pid').read_text())"
        )
        return self._python("-c", code).split("\n", 1)[0]

    def _python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid:
                    found.append(int(entry.name))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
