"""A scratch database for a bench: migrated by the owner, used through the application's role, dropped afterwards."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import django


def start_django() -> None:
    """Load the settings; passwords are hashed quickly, because no bench measures that."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Plain names: a bench does not depend on collected static files.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@contextmanager
def scratch_database() -> Iterator[None]:
    """Create, migrate and grant a database of this process's own; drop it at the end."""
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    from config.embedded_postgres import ensure_running
    from tests.database import as_owner

    if not os.environ.get("DATABASE_URL"):
        ensure_running()
    connection.settings_dict["TEST"]["NAME"] = f"bench_{os.getpid()}"
    with as_owner():
        created = setup_databases(verbosity=0, interactive=False)
        call_command("apply_privileges", stdout=io.StringIO())
    try:
        yield
    finally:
        with as_owner():
            teardown_databases(created, verbosity=0)
