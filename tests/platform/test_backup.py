"""A backup brings everything back, and a restore that cannot be completed changes nothing."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import embedded_postgres
from config.data_folder import PROJECT
from config.run import only_one_runs
from tests.platform.conftest import installation


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """An installation with its tables; its server runs all the time."""
    with installation() as data, embedded_postgres.in_use():
        subprocess.run([sys.executable, "-m", "config.prepare_database"], cwd=PROJECT, check=True)
        yield data


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Backups go into a folder of the test's own."""
    backups = folder.parent / "backups"
    monkeypatch.setenv("BACKUP_FOLDER", str(backups))
    for old in backups.glob("*"):
        old.unlink()
    return backups


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command behind `make backup` and `make restore`."""
    command = [sys.executable, "-m", "config.backup", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def names(*statements: str) -> list[str]:
    """The rows of a table of the test, after some statements of the owner."""
    owner, _ = embedded_postgres.ensure_running()
    with psycopg.connect(owner, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        rows = connection.execute("SELECT name FROM of_the_test ORDER BY name").fetchall()
    return [name for (name,) in rows]


MAKE = "CREATE TABLE IF NOT EXISTS of_the_test (name text)"


def databases() -> set[str]:
    """The databases of the server, but those it brings."""
    owner, _ = embedded_postgres.ensure_running()
    with psycopg.connect(owner) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
    return {name for (name,) in rows} - {"postgres"}


def rights_of_the_application(table: str) -> set[str]:
    """What the application's role may do to a table."""
    _, app = embedded_postgres.ensure_running()
    asked = "SELECT word FROM unnest(%s::text[]) AS word WHERE has_table_privilege(%s, word)"
    with psycopg.connect(app) as connection:
        rows = connection.execute(asked, [["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"], table]).fetchall()
    return {word for (word,) in rows}


def test_a_restore_brings_back_what_was_there_and_keeps_what_it_replaces(own: Path) -> None:
    names(MAKE, "TRUNCATE of_the_test", "INSERT INTO of_the_test VALUES ('ann')")
    assert call("backup").returncode == 0
    (file,) = own.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    names("INSERT INTO of_the_test VALUES ('bob')")
    restored = call("restore", str(file))
    assert restored.returncode == 0, restored.stderr
    assert names() == ["ann"]
    assert rights_of_the_application("agentversions_agentversion") == {"SELECT", "INSERT"}
    (before,) = own.glob("*before-restore*")
    assert call("restore", str(before)).returncode == 0
    assert names() == ["ann", "bob"]
    assert databases() == {"agent_versions"}


def test_a_damaged_backup_changes_nothing(own: Path) -> None:
    names(MAKE, "TRUNCATE of_the_test", "INSERT INTO of_the_test VALUES ('kept')")
    call("backup")
    (file,) = own.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) - 2000])
    refused = call("restore", str(file))
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert names() == ["kept"]
    assert databases() == {"agent_versions"}


def test_a_file_that_is_no_backup_is_refused(own: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("hello")
    assert "is not a backup made by `make backup`" in call("restore", str(other)).stderr
    assert "There is no file" in call("restore", str(tmp_path / "missing.dump")).stderr
    assert "Say which backup" in call("restore", "").stderr


def test_a_restore_is_refused_while_the_application_runs(own: Path) -> None:
    with only_one_runs("the application at http://127.0.0.1:8000"):
        refused = call("restore", "any.dump")
    assert refused.returncode == 1
    assert refused.stderr == "This folder is in use by the application at http://127.0.0.1:8000; stop it first.\n"


def test_a_restore_is_refused_while_somebody_is_connected(own: Path) -> None:
    names(MAKE)
    call("backup")
    file = next(own.glob("agent-versions-2*.dump"))
    _, app = embedded_postgres.ensure_running()
    with psycopg.connect(app):
        refused = call("restore", str(file))
    assert "in use by 1 connections" in refused.stderr
    assert databases() == {"agent_versions"}
