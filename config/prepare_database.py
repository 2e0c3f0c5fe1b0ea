"""Brings the database to this release: migrations and privileges, as the owner.

`AGENT_VERSIONS_DB_ROLE=owner python -m config.prepare_database`
"""

import os
import sys
from io import StringIO

import django
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError, connection

from config.problem import Problem

OLDEST = 15


def prepare() -> None:
    """Migrate, then grant the application's role what it may do; both change nothing when nothing is new."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise Problem(f"The database does not answer: {str(error).strip().splitlines()[0]}") from error
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::integer / 10000")
        (version,) = cursor.fetchone()
    if version < OLDEST:
        raise Problem(f"PostgreSQL {OLDEST} or newer is needed; this server is {version}.")
    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("apply_privileges", stdout=StringIO())
    except (CommandError, ProgrammingError) as error:
        raise Problem(f"The database could not be brought to this release: {error}") from error


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["AGENT_VERSIONS_DB_ROLE"] = "owner"
    django.setup()
    try:
        prepare()
    except Problem as problem:
        sys.exit(str(problem))
