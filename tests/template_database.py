"""The migrated database that every process of the tests copies, so that the migrations run once for all of them.

`TEST_DATABASE_TEMPLATE=name python -m tests.template_database make|drop`
"""

import gc
import os
import sys

import django
from django.db import connection

from config.prepare_database import prepare

NAME = os.environ.get("TEST_DATABASE_TEMPLATE", "")


def make() -> None:
    """Create it and bring it to this release; one of that name is replaced."""
    drop()
    quoted = connection.ops.quote_name(NAME)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted}")
        cursor.execute(f"ALTER DATABASE {quoted} SET synchronous_commit = off")
    connection.settings_dict["NAME"] = NAME
    gc.disable()  # a quarter of the migrations' time, for memory that ends with this process
    prepare()


def drop() -> None:
    """Remove it."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(NAME)} WITH (FORCE)")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["AGENT_VERSIONS_DB_ROLE"] = "owner"
    django.setup()
    {"make": make, "drop": drop}[sys.argv[1]]()
