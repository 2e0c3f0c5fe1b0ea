"""The embedded PostgreSQL: two roles with exactly their rights, and a life that survives kills, copies and reboots."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from config import embedded_postgres
from config.data_folder import PROJECT
from config.embedded_credentials import SUPERUSER, load_credentials
from config.embedded_layout import find_layout
from config.problem import Problem
from tests.platform.conftest import installation


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """The rows of one statement, in a connection of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def server_pid() -> int:
    """The number of the server's process."""
    return int((find_layout().data / "postmaster.pid").read_text().split("\n", 1)[0])


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_owner_owns_the_database_and_is_no_superuser(shared_data_folder: Path) -> None:
    owner, _ = embedded_postgres.ensure_running()
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert query(owner, rights) == [(False, False, True)]
    assert query(owner, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == [
        ("agent_versions_owner",)
    ]
    query(owner, "CREATE TABLE owned (id int)")
    query(owner, "DROP TABLE owned")


def test_the_application_can_neither_create_nor_change_the_owners_tables(shared_data_folder: Path) -> None:
    owner, app = embedded_postgres.ensure_running()
    query(owner, "CREATE TABLE owned (id int)")
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert query(app, rights) == [(False, False, False)]
    for statement in ("CREATE TABLE mine (id int)", "DROP TABLE owned", "SELECT * FROM owned", "CREATE SCHEMA mine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(app, statement)


def test_nobody_enters_without_the_password_or_from_another_machine(shared_data_folder: Path) -> None:
    owner, _ = embedded_postgres.ensure_running()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(owner.replace(load_credentials().owner_password, "guess"), "SELECT 1")
    superuser = load_credentials().url(SUPERUSER)
    assert query(superuser, "SELECT current_setting('listen_addresses')") == [("127.0.0.1",)]
    assert query(superuser, "SELECT DISTINCT auth_method FROM pg_hba_file_rules") == [("scram-sha-256",)]


def test_secrets_are_readable_by_their_owner_only(shared_data_folder: Path) -> None:
    embedded_postgres.ensure_running()
    assert mode(shared_data_folder / "postgres.json") == 0o600
    assert mode(shared_data_folder / "postgres.log") == 0o600
    assert mode(find_layout().data) == 0o700
    assert not mode(shared_data_folder) & 0o066
    assert not list(shared_data_folder.glob("*password*"))
    passwords = json.loads((shared_data_folder / "postgres.json").read_text())
    log = embedded_postgres.log_file().read_text()
    assert not any(value in log for name, value in passwords.items() if name.endswith("password"))


def test_a_running_server_is_used_again(shared_data_folder: Path) -> None:
    first = embedded_postgres.ensure_running()
    pid = server_pid()
    assert embedded_postgres.ensure_running() == first
    assert server_pid() == pid


def test_what_was_committed_survives_stop_and_start(data_folder: Path) -> None:
    owner, _ = embedded_postgres.ensure_running()
    query(owner, "CREATE TABLE kept AS SELECT 42 AS answer")
    embedded_postgres.stop()
    assert not embedded_postgres.is_running()
    assert embedded_postgres.ensure_running()[0] == owner
    assert query(owner, "SELECT answer FROM kept") == [(42,)]


def test_what_was_committed_survives_a_killed_server(data_folder: Path) -> None:
    owner, _ = embedded_postgres.ensure_running()
    query(owner, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server_pid(), signal.SIGKILL)
    wait_until_stopped()
    assert embedded_postgres.ensure_running()[0] == owner
    assert query(owner, "SELECT answer FROM kept") == [(42,)]


def wait_until_stopped() -> None:
    """A killed process needs a moment to be gone."""
    for _ in range(100):
        if not embedded_postgres.is_running():
            return
        time.sleep(0.05)
    raise AssertionError("the killed server still runs")


def test_a_stale_process_number_of_somebody_else_does_not_stop_the_start(data_folder: Path) -> None:
    embedded_postgres.ensure_running()
    embedded_postgres.stop()
    note = find_layout().data / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{find_layout().data}\n")
    assert not embedded_postgres.is_running()
    owner, _ = embedded_postgres.ensure_running()
    assert query(owner, "SELECT 1") == [(1,)]


def test_a_port_taken_meanwhile_is_left_to_its_new_user(data_folder: Path) -> None:
    embedded_postgres.ensure_running()
    embedded_postgres.stop()
    port = load_credentials().port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        owner, _ = embedded_postgres.ensure_running()
    assert load_credentials().port != port
    assert query(owner, "SELECT 1") == [(1,)]


def test_a_copied_project_gets_a_database_of_its_own(data_folder: Path) -> None:
    owner, _ = embedded_postgres.ensure_running()
    query(owner, "CREATE TABLE kept AS SELECT 'original' AS name")
    embedded_postgres.stop()
    with installation() as copy:
        subprocess.run(["cp", "-a", data_folder, copy], check=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AGENT_VERSIONS_DATA", str(data_folder))
            embedded_postgres.ensure_running()
        of_copy, _ = embedded_postgres.ensure_running()
        assert of_copy != owner
        query(of_copy, "UPDATE kept SET name = 'copy'")
        assert query(owner, "SELECT name FROM kept") == [("original",)]


def test_the_last_user_stops_the_server(data_folder: Path) -> None:
    with embedded_postgres.in_use():
        with embedded_postgres.in_use():
            pass
        assert embedded_postgres.is_running()
    assert not embedded_postgres.is_running()


def test_a_killed_user_does_not_keep_the_server(data_folder: Path, environment: dict[str, str]) -> None:
    code = (
        "import time, config.embedded_postgres as server\nwith server.in_use(): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout
        assert user.stdout.readline() == "in\n"
        user.kill()
    assert embedded_postgres.is_running()
    with embedded_postgres.in_use():
        pass
    assert not embedded_postgres.is_running()


def test_stop_is_refused_while_somebody_uses_the_server(data_folder: Path) -> None:
    with embedded_postgres.in_use(), pytest.raises(Problem, match="in use"):
        embedded_postgres.main(["stop"])


def test_an_interrupted_first_start_leaves_nothing_that_disturbs_the_next(data_folder: Path) -> None:
    data_folder.mkdir(parents=True)
    draft = data_folder / "postgres.draft"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    owner, _ = embedded_postgres.ensure_running()
    assert query(owner, "SELECT 1") == [(1,)]


def test_data_of_another_postgresql_are_refused_with_the_way_out(data_folder: Path) -> None:
    embedded_postgres.ensure_running()
    embedded_postgres.stop()
    (find_layout().data / "PG_VERSION").write_text("16\n")
    with pytest.raises(Problem, match=r"PostgreSQL 16, this release brings 18.*make backup.*make restore"):
        embedded_postgres.ensure_running()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root has to hand the server to another user.")
def test_root_below_a_closed_folder_keeps_the_data_where_the_server_can_reach_them(data_folder: Path) -> None:
    data_folder.parent.chmod(0o700)
    owner, _ = embedded_postgres.ensure_running()
    link = data_folder / "postgres"
    assert link.is_symlink()
    assert mode(link.readlink()) == 0o700
    assert link.readlink().owner() == "nobody"
    assert query(owner, "SELECT 1") == [(1,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root has to hand the server to another user.")
def test_the_server_of_root_runs_as_nobody(data_folder: Path) -> None:
    embedded_postgres.ensure_running()
    assert Path(f"/proc/{server_pid()}").owner() == "nobody"
