"""Backup and restore of the whole database with PostgreSQL's own tools.

`python -m config.backup backup|restore [FILE]`
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from config import embedded_postgres
from config.bootstrap import PYTHON
from config.data_folder import PROJECT, data_folder
from config.database_url import parse_database_url, with_database
from config.embedded_credentials import APP, OWNER, load_credentials
from config.embedded_layout import client_program
from config.problem import Problem
from config.run import only_one_runs

FOLDER = Path(os.environ.get("BACKUP_FOLDER") or PROJECT / "backups").resolve()


def backup(label: str = "") -> Path:
    """Write the database to a new file in backups/, mode 0600; a file under its final name is always complete."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = FOLDER / f"agent-versions-{label}{_now()}.dump"
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        _client("pg_dump", _owner_url(), "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}")
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def restore(file: Path) -> Path | None:
    """Put a backup in the place of the database; a backup of what was there before is returned.

    The new database is filled, migrated and checked under another name. Until that is done nothing is touched.
    """
    _check_file(file)
    url = _owner_url()
    database = parse_database_url(url)["NAME"]
    before = backup("before-restore-") if _has_tables(url) else None
    draft, old = f"{database}_restore_{_now().lower()}", f"{database}_before_{_now().lower()}"
    with psycopg.connect(with_database(url, "postgres"), autocommit=True, connect_timeout=5) as server:
        _refuse_while_in_use(server, database)
        _run(server, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", draft)
        try:
            options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
            _client("pg_restore", with_database(url, draft), *options, str(file), into=True)
            _prepare(draft)
            with server.transaction():
                _run(server, "ALTER DATABASE {} RENAME TO {}", database, old)
                _run(server, "ALTER DATABASE {} RENAME TO {}", draft, database)
        except BaseException:
            with suppress(psycopg.Error):
                _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", draft)
            raise
        _run(server, "DROP DATABASE {}", old)
    if not os.environ.get("DATABASE_URL"):
        (data_folder() / "demo_loaded").touch(mode=0o600)  # what was restored is not mixed with the demo
    for part in data_folder().glob("last_known_good.sqlite3*"):
        part.unlink()  # it may know more than the backup, and what knows less never replaces what knows more
    return before


def _owner_url() -> str:
    return os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL") or load_credentials().url(OWNER)


def _app_url() -> str:
    return os.environ.get("DATABASE_URL") or load_credentials().url(APP)


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _client(program: str, url: str, *arguments: str, into: bool = False) -> None:
    """Run pg_dump or pg_restore; the password goes through the environment: a command line is public."""
    address = parse_database_url(url)
    where = make_conninfo(
        host=address["HOST"] or None,
        port=address["PORT"] or None,
        user=address["USER"] or None,
        dbname=address["NAME"],
        **address["OPTIONS"],
    )
    result = subprocess.run(
        [client_program(program), "--no-password", *arguments, f"--dbname={where}"],
        env={**os.environ, "PGPASSWORD": address["PASSWORD"], "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        did = "restored, and nothing was changed" if into else "backed up"
        raise Problem(f"The database could not be {did}: {result.stderr.strip().splitlines()[0]}")


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise Problem(f"There is no file {file}; say which backup: make restore FILE=backups/….dump")
    listing = subprocess.run([client_program("pg_restore"), "--list", str(file)], capture_output=True, check=False)
    if listing.returncode or b"TABLE DATA public agentversions_" not in listing.stdout:
        raise Problem(f"{file} is not a backup made by `make backup`; nothing was changed.")


def _has_tables(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    return bool(row and row[0])


def _refuse_while_in_use(server: psycopg.Connection, database: str) -> None:
    row = server.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [database]).fetchone()
    if row and row[0]:
        raise Problem(f"The database is in use by {row[0]} connections; stop the application and run this again.")


def _prepare(database: str) -> None:
    """Migrate the restored database to this release and grant the application's role what it may do."""
    urls = {
        "DATABASE_URL": with_database(_app_url(), database),
        "DATABASE_OWNER_URL": with_database(_owner_url(), database),
    }
    command = [str(PYTHON), "-m", "config.prepare_database"]
    environment = {**os.environ, **urls}
    result = subprocess.run(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise Problem(f"Nothing was changed. {result.stderr.strip()}")


def _run(server: psycopg.Connection, statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def _server() -> Iterator[None]:
    with nullcontext() if os.environ.get("DATABASE_URL") else embedded_postgres.in_use():
        yield


def main(arguments: list[str]) -> int:
    """The command line."""
    match arguments:
        case ["backup"]:
            with _server():
                print(f"Wrote {os.path.relpath(backup())}")
        case ["restore", file]:
            if not file:
                raise Problem("Say which backup: make restore FILE=backups/….dump")
            with only_one_runs("a restore"), _server():
                before = restore(Path(file))
            print(f"Restored {file}." + (f" What was there before: {os.path.relpath(before)}" if before else ""))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(str(problem))
    except psycopg.Error as error:
        sys.exit(f"The database refused: {str(error).strip().splitlines()[0]}")
    except KeyboardInterrupt:
        sys.exit("Stopped; the database is as it was.")
