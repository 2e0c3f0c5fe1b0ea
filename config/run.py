"""Starts the whole product and stops it again: `make run`."""

import errno
import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg

from config import assets, embedded_postgres
from config.bootstrap import PYTHON
from config.data_folder import PROJECT, data_folder, write_private
from config.database_url import BadDatabaseUrl, parse_database_url
from config.embedded_credentials import load_credentials
from config.parent_death import stop_with_parent
from config.problem import Problem
from config.processes import Process, Worker, application_server, running_worker

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run() -> None:
    """Install what is missing, start the database, bring it up to date, serve until told to stop."""
    started = time.monotonic()
    port = _port()
    with only_one_runs(f"the application at http://127.0.0.1:{port}"):
        _wait_until_free(port)
        _check_surroundings()
        assets.build()
        embedded = not os.environ.get("DATABASE_URL")
        with embedded_postgres.in_use() if embedded else nullcontext():
            _prepare_database()
            sign_ins = _load_demo_once() if embedded else ""
            with application_server(port) as server, running_worker() as worker, _stopping_in_order():
                _wait_until_it_answers(server, port)
                address = os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}"
                print(f"\nAgent Versions is ready after {time.monotonic() - started:.1f} s: {address}")
                print(f"{sign_ins}\nStop it with Ctrl-C.", flush=True)
                _watch(server, worker, embedded=embedded)


@contextmanager
def only_one_runs(what: str) -> Iterator[None]:
    """Hold this project's lock while the application runs; it ends with its process, however that ends."""
    with (data_folder() / "run.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Problem(f"This folder is in use by {lock.read()}; stop it first.") from None
        lock.truncate(0)
        lock.write(what)
        lock.flush()
        yield


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Problem(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _wait_until_free(port: int) -> None:
    """Refuse a taken port, but not at once: a server that was just killed needs a moment to let go of it."""
    host = os.environ.get("BIND_HOST") or "127.0.0.1"
    until = time.monotonic() + 2
    while reason := _why_not(host, port):
        if time.monotonic() > until:
            raise Problem(f"Port {port} of {host} cannot be used ({reason}); choose another: PORT={port + 1} make run")
        time.sleep(0.1)


def _why_not(host: str, port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return "another program has it" if error.errno == errno.EADDRINUSE else (error.strerror or "refused")
    return ""


def _check_surroundings() -> None:
    for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if url := os.environ.get(variable):
            try:
                parse_database_url(url)
            except BadDatabaseUrl as error:
                raise Problem(f"{variable}: {error}") from error
    if os.environ.get("DATABASE_URL") and not os.environ.get("DATABASE_OWNER_URL"):
        print(
            "DATABASE_OWNER_URL is not set: the application's role owns the tables, so only triggers protect versions."
        )
    if not shutil.which("git"):
        print("git was not found: everything else works, but updating by `git pull` needs it.")


def _prepare_database() -> None:
    command = [str(PYTHON), "-m", "config.prepare_database"]
    result = subprocess.run(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise Problem(result.stderr.strip())


def _load_demo_once() -> str:
    """Load the demo unless it was, and give what it said: its sign-ins."""
    said = data_folder() / "demo_loaded"
    if not said.exists():
        print("Loading the demo …", flush=True)
        command = [str(PYTHON), "manage.py", "load_demo"]
        result = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)
        if result.returncode:
            raise Problem("The demo could not be loaded; the lines above say why.")
        write_private(said, result.stdout)
    return said.read_text(encoding="utf-8")


@contextmanager
def _stopping_in_order() -> Iterator[None]:
    """At the end say so, and let no further signal disturb the end."""
    try:
        yield
    finally:
        _ignore_signals()
        print("Stopping …", flush=True)


def _wait_until_it_answers(server: Process, port: int) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        connection = http.client.HTTPConnection(os.environ.get("BIND_HOST") or "127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": "127.0.0.1"})
            if connection.getresponse().status < 500:
                return
            raise Problem("The application answers with an error; the lines above say why.")
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise Problem("The application did not start; the lines above say why.")


def _watch(server: Process, worker: Worker, *, embedded: bool) -> None:
    """Wait; keep the embedded PostgreSQL running, and go on without it: calls are answered meanwhile."""
    complaint = ""
    while True:
        try:
            code = server.wait(2)
        except subprocess.TimeoutExpired:
            if embedded:
                complaint = _revive_database(server, worker, complaint)
            worker.revive()
        else:
            raise Problem(f"The application server ended by itself (exit code {code}); the lines above say why.")


def _revive_database(server: Process, worker: Worker, said: str) -> str:
    """Start the embedded PostgreSQL again when somebody killed it; gives why it could not, and says that once."""
    if embedded_postgres.is_running():
        return ""
    port = load_credentials().port
    try:
        embedded_postgres.ensure_running()
    except (Problem, psycopg.Error, OSError) as error:
        if str(error) != said:
            print(f"The embedded PostgreSQL has stopped and does not start: {error} Trying on.", flush=True)
        return str(error)
    print("The embedded PostgreSQL had stopped; it was started again.", flush=True)
    if load_credentials().port != port:
        server.send_signal(signal.SIGHUP)  # new workers, which read the new address; the old ones know the old one only
        worker.restart()
    return ""


def _ignore_signals() -> None:
    for name in STOP_SIGNALS:
        signal.signal(name, signal.SIG_IGN)


def main() -> int:
    """Exit codes: 0 after Ctrl-C or SIGTERM, 1 with a sentence when something has to be mended."""
    for name in STOP_SIGNALS:
        signal.signal(name, signal.default_int_handler)
    if os.environ.get("MAKELEVEL"):
        stop_with_parent()
    try:
        run()
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
