"""Makes the database role that reads the analysts' views and nothing else; or says the SQL that makes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from psycopg.conninfo import make_conninfo

from config.embedded_credentials import SUPERUSER, load_credentials
from monitoring.services.analysts import (
    GROUP,
    draw_password,
    group_statements,
    make_group,
    make_login,
    may_make_roles,
    role_exists,
)


class Command(BaseCommand):
    """Make the group, and a login in it when one is named."""

    help = "Makes the database role of analysts, who read three views. Run as the owner (AGENT_VERSIONS_DB_ROLE=owner)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names of roles."""
        parser.add_argument("--login", metavar="NAME", help="also make this login; its password is printed once")
        parser.add_argument("--group", default=GROUP, help=f"the role that holds the rights ({GROUP})")
        parser.add_argument("--sql", action="store_true", help="only print the SQL")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the statements, or print them where this role may not."""
        group, login = options["group"], options["login"]
        with _administrator() as server, server.cursor() as cursor:
            if login and role_exists(cursor, login):
                raise CommandError(f"There is a database role “{login}” already. Choose another name.")
            statements = ([] if role_exists(cursor, group) else [make_group(group)]) + group_statements(group)
            password = ""
            if login:
                password, verifier = draw_password(server, login)
                statements += make_login(login, group, verifier)
            if options["sql"] or not may_make_roles(cursor):
                self.stdout.write("-- For a role that may make others, in this database:")
                for statement in statements:
                    self.stdout.write(f"{statement.as_string(server)};")
            else:
                for statement in statements:
                    cursor.execute(statement)
                self.stdout.write(f"“{group}” reads the views of docs/analysts.md.")
        if login:
            self.stdout.write(f"Password of “{login}”, shown this once: {password}")


@contextmanager
def _administrator() -> Iterator[Any]:
    """A connection that commits at the end: of the embedded server as its superuser, else as this command's role."""
    if settings.USES_EMBEDDED_POSTGRES:
        url = load_credentials().url(SUPERUSER, str(connection.settings_dict["NAME"]))
        with psycopg.connect(url) as server:
            yield server
    else:
        address = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT", "dbname": "NAME"}
        known: dict[str, Any] = {name: connection.settings_dict[key] or None for name, key in address.items()}
        with psycopg.connect(make_conninfo(**known)) as server:
            yield server
