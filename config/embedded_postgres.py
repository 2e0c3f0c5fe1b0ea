"""The embedded PostgreSQL: its own server process on 127.0.0.1, started and stopped by the project.

`python -m config.embedded_postgres start|stop|status|url|with COMMAND…`
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from config.data_folder import data_folder
from config.embedded_credentials import (
    APP,
    DATABASE,
    OWNER,
    SUPERUSER,
    Credentials,
    load_credentials,
    move_to_free_port,
)
from config.embedded_layout import Layout, find_layout
from config.problem import Problem

LOG_LIMIT = 10 * 1024 * 1024
MOST_SECONDS_OF_RECOVERY = 600
"""After a crash PostgreSQL reads every file anew before it takes connections: on a busy disk more than a minute."""


def ensure_running() -> tuple[str, str]:
    """Start the server unless it runs; give the owner's and the application's URL. It runs until somebody stops it."""
    with _locked():
        layout = find_layout()
        credentials = load_credentials()
        if not _is_running(layout):
            credentials = _start(layout, credentials)
        _ensure_roles(credentials)
    return credentials.url(OWNER), credentials.url(APP)


@contextmanager
def in_use() -> Iterator[tuple[str, str]]:
    """Keep the server running for a while; who leaves last stops it, also when somebody before was killed."""
    with (data_folder() / "postgres.in_use").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield ensure_running()
        finally:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                stop()


def stop() -> None:
    """Stop the server: open transactions are rolled back, what was committed is safe."""
    with _locked():
        layout = find_layout()
        if not _is_running(layout):
            return
        done = layout.run(
            "pg_ctl", "stop", "--pgdata", str(layout.data), "--mode", "fast", "--timeout", "30", "--silent"
        )
        if done.returncode:
            layout.run(
                "pg_ctl", "stop", "--pgdata", str(layout.data), "--mode", "immediate", "--timeout", "10", "--silent"
            )


def is_running() -> bool:
    """Whether our own server runs."""
    return (data_folder() / "postgres").exists() and _is_running(find_layout())


def log_file() -> Path:
    """What the server writes."""
    return data_folder() / "postgres.log"


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time starts or stops the server; the lock ends with its process."""
    with (data_folder() / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_running(layout: Layout) -> bool:
    """Whether the process in postmaster.pid is a PostgreSQL on this very folder: the number may be anybody's by now."""
    try:
        pid = int((layout.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    return os.fsencode(layout.data) in command


def _start(layout: Layout, credentials: Credentials) -> Credentials:
    if not layout.data.exists():
        _initialise(layout, credentials)
    _check_version(layout)
    (layout.data / "postmaster.pid").unlink(missing_ok=True)  # stale: we have just seen that nobody runs
    if _is_taken(credentials.port):
        credentials = move_to_free_port(credentials)
    options = f"-c listen_addresses=127.0.0.1 -c port={credentials.port} -c unix_socket_directories= -c timezone=UTC"
    # As on every SSD: with the default for spinning disks, figures of an agent are read from the whole table.
    options += " -c random_page_cost=1.1"
    log = _open_log()
    try:
        done = layout.run(
            "pg_ctl",
            "start",
            "--pgdata",
            str(layout.data),
            "--wait",
            "--timeout",
            str(MOST_SECONDS_OF_RECOVERY),
            "--silent",
            "--options",
            options,
            log=log,
        )
    finally:
        os.close(log)
    if done.returncode:
        raise Problem(f"The embedded PostgreSQL did not start: {_last_complaint()} (all of it is in {log_file()}).")
    return credentials


def _initialise(layout: Layout, credentials: Credentials) -> None:
    """Make the cluster beside its place and move it there when complete: an interrupted start leaves nothing half."""
    draft = layout.data.with_name("postgres.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    layout.give(draft)
    password = layout.data.with_name("postgres.password")
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(credentials.superuser_password, encoding="utf-8")
    layout.give(password)
    try:
        done = layout.run(
            "initdb",
            *("--pgdata", str(draft), "--username", SUPERUSER, "--pwfile", str(password), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        )
    finally:
        password.unlink()
    if done.returncode:
        raise Problem(
            f"The embedded PostgreSQL could not be set up in {layout.data}: {done.stdout.strip().splitlines()[-1]}"
        )
    draft.rename(layout.data)


def _check_version(layout: Layout) -> None:
    ours = layout.run("postgres", "--version").stdout.split()[-1].partition(".")[0]
    theirs = (layout.data / "PG_VERSION").read_text(encoding="utf-8").strip()
    if ours != theirs:
        raise Problem(
            f"The data in {layout.data} are of PostgreSQL {theirs}, this release brings {ours}: "
            "with the earlier release run `make backup`, move the data away, then `make restore FILE=…` with this one."
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _open_log() -> int:
    path = log_file()
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _last_complaint() -> str:
    """The newest FATAL line of the log, without its time."""
    lines = log_file().read_text(encoding="utf-8", errors="replace").splitlines()
    return next(
        (line.partition("FATAL:")[2].strip() for line in reversed(lines) if "FATAL:" in line), "it says nothing"
    )


def _ensure_roles(credentials: Credentials) -> None:
    """The owner, who migrates, and the application's role, which owns nothing; each start puts them right."""
    with psycopg.connect(credentials.url(SUPERUSER, "postgres"), autocommit=True, connect_timeout=5) as connection:
        existing = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        wanted = [(OWNER, credentials.owner_password, "CREATEDB"), (APP, credentials.app_password, "NOCREATEDB")]
        for role, password, create in wanted:
            verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(
                sql.SQL("{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEROLE {create} PASSWORD {verifier}").format(
                    verb=sql.SQL("ALTER" if role in existing else "CREATE"),
                    role=sql.Identifier(role),
                    create=sql.SQL(create),
                    verifier=sql.Literal(verifier),  # never the password: a statement may end in the log
                )
            )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )


def _wait_for_users(seconds: float) -> bool:
    """Whether everybody who uses the server has left."""
    until = time.monotonic() + seconds
    with (data_folder() / "postgres.in_use").open("a") as users:
        while True:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    return False
                time.sleep(0.1)
            else:
                return True


def _run_with_server(command: list[str]) -> int:
    """Run a command while the server runs; with DATABASE_URL there is nothing to start."""
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with in_use(), subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return process.wait()


def main(arguments: list[str]) -> int:
    """The command line."""
    match arguments:
        case ["start"]:
            ensure_running()
            print("The embedded PostgreSQL runs.")
        case ["stop"]:
            if not _wait_for_users(0.5):
                raise Problem("The embedded PostgreSQL is in use by `make run` or `make test`; stop those first.")
            stop()
            print("The embedded PostgreSQL is stopped.")
        case ["status"]:
            print("running" if is_running() else "stopped")
            return 0 if is_running() else 3
        case ["url"]:
            print(load_credentials().url(OWNER if os.environ.get("AGENT_VERSIONS_DB_ROLE") == "owner" else APP))
        case ["with", *command] if command:
            return _run_with_server(command)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(str(problem))
