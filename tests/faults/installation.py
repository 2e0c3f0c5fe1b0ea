"""A whole installation of its own for a fault test: its own PostgreSQL, its own gunicorn, killed without mercy."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg

from config.embedded_credentials import APP, OWNER, Credentials, free_port

PROJECT = Path(__file__).resolve().parents[2]


class Installation:
    """Starts, kills and restarts the product in a folder of its own; everything waits for a bounded time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.log")
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")},
            "AGENT_VERSIONS_DATA": str(folder),
            "PORT": str(self.port),
            "DEBUG": "1",
        }
        self.server: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def set_up(self) -> None:
        """A migrated database with its roles, and a running server."""
        self.start_database()
        self._python("-m", "config.prepare_database")
        self.start_server()

    def manage(self, *arguments: str) -> str:
        """Run a management command; its output."""
        return self._python("manage.py", *arguments)

    def token_made_by(self, script: str) -> str:
        """Run a script in the product's shell; the secret of an API token, which it prints as `TOKEN …`."""
        said = self.manage("shell", "--verbosity=0", "-c", script)
        return next(line.split()[1] for line in said.splitlines() if line.startswith("TOKEN"))

    def start_database(self) -> None:
        """Start this installation's PostgreSQL; also after it was killed."""
        self._database("start")

    def url(self, *, owner: bool = False) -> str:
        """The address of this installation's database."""
        credentials = Credentials(**json.loads((self.folder / "postgres.json").read_text()))
        return credentials.url(OWNER if owner else APP)

    def kill_database(self) -> None:
        """Kill every process of this PostgreSQL at once, as a crashed machine would; none is left afterwards."""
        postmaster = int(self._postmaster_pid())
        _signal([postmaster], signal.SIGSTOP)  # it could start another one while we look
        _kill([postmaster, *_children_of(postmaster)])

    def freeze_database(self) -> None:
        """Stop every process of this PostgreSQL where it is: it takes connections and answers nothing."""
        self._signal_database(signal.SIGSTOP)

    def thaw_database(self) -> None:
        """Let them go on."""
        self._signal_database(signal.SIGCONT)

    def _signal_database(self, number: signal.Signals) -> None:
        postmaster = int(self._postmaster_pid())
        _signal([postmaster, *_children_of(postmaster)], number)

    def start_server(self, ready: str = "/accounts/login/") -> None:
        """Start gunicorn and wait until it answers at an address."""
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py"],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.wait_until_ready(ready)

    def wait_until_ready(self, ready: str = "/readyz", seconds: float = 45) -> None:
        """Wait until an address answers with 200; by default the one that says whether calls can be answered."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}{ready}", timeout=5, verify=False).status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError(f"{ready} did not answer within {seconds} s:\n{self.log.read_text()[-2000:]}")

    def kill_server(self) -> None:
        """Kill gunicorn's master and workers at once."""
        assert self.server is not None
        workers = _children_of(self.server.pid)
        self.server.kill()
        self.server.wait(timeout=30)
        _kill([*workers])

    def restart_server(self, ready: str = "/readyz") -> None:
        """Kill gunicorn and start it again, also while PostgreSQL is away."""
        self.kill_server()
        self.start_server(ready)

    def start_worker(self) -> None:
        """Start one more worker."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "config.worker"]
            self.workers.append(subprocess.Popen(command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log))

    def kill_first_worker(self) -> None:
        """Kill the oldest worker with -9."""
        worker = self.workers.pop(0)
        worker.kill()
        worker.wait(timeout=30)

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill_a_worker(self) -> None:
        """Kill one gunicorn worker with -9; its master starts another."""
        assert self.server is not None
        _signal(_children_of(self.server.pid)[:1], signal.SIGKILL)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with psycopg.connect(self.url()) as connection:
            return connection.execute(statement.encode()).fetchall()

    def tear_down(self) -> None:
        """Stop everything that still runs and remove the cluster, which root's server keeps outside the folder."""
        while self.workers:
            self.kill_first_worker()
        if self.server is not None:
            self.kill_server()
        cluster = self.folder / "postgres"
        if not cluster.exists():
            return
        with contextlib.suppress(FileNotFoundError):
            self.thaw_database()
        self._database("stop")
        shutil.rmtree(cluster.readlink().parent if cluster.is_symlink() else cluster)

    def _database(self, word: str) -> None:
        self._python("-m", "config.embedded_postgres", word)

    def _postmaster_pid(self) -> str:
        return (self.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]

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


def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not come to be."
        time.sleep(0.1)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _kill(pids: list[int]) -> None:
    """Kill them and wait until they are gone (or wait for their parent's look, and hold nothing any more)."""
    _signal(pids, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(_state_and_parent(pid)[0] not in "ZX" for pid in pids):
        assert time.monotonic() < deadline, "A killed process is still there."
        time.sleep(0.01)


def _children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    names = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(name) for name in names if _state_and_parent(int(name))[1] == pid]


def _state_and_parent(pid: int) -> tuple[str, int]:
    """One letter and the parent's number; X and 0 when there is no such process."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return "X", 0
    return state, int(parent)
