"""The database of the tests: migrated by the owner role, used through the application's role, as in production."""

import gc
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.test.utils import setup_databases, teardown_databases
from hypothesis import settings as laws

from monitoring.services import partitions
from tests.database import as_owner, close_cleaner, commit_without_waiting, empty_all_tables, end_other_sessions

# Append-only tables refuse TRUNCATE, so tests that commit are cleaned up by the owner with the triggers off.
TransactionTestCase._fixture_teardown = lambda self: empty_all_tables()  # type: ignore[method-assign]


# Laws are tried on the same inputs each time, however slow the machine; `make test-search` tries new ones.
laws.register_profile("repeatable", derandomize=True, deadline=None)
laws.register_profile("search", max_examples=2_000, deadline=None)
laws.load_profile("repeatable")


def pytest_configure() -> None:
    """Hash passwords quickly: the slow default costs half a second per person that a test makes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


LONG = ("tests/journeys/", "tests/platform/test_run.py", "tests/platform/test_backup.py", "test_access_table.py")
"""A browser, installations, every address: begun last, one of these would run alone while the other process waits."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=lambda item: not any(long in item.nodeid for long in LONG))


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it for garbage again and again takes a sixth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Create the test database as its owner, then hand it to the application's role.

    It is migrated from nothing, or copied from TEST_DATABASE_TEMPLATE (tests/template_database.py).
    """
    from config.embedded_postgres import ensure_running

    if not os.environ.get("DATABASE_URL"):
        ensure_running()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    connection.settings_dict["TEST"]["NAME"] = "_".join(
        part for part in ("test", os.environ.get("TEST_DATABASE_SUFFIX", ""), worker, str(os.getpid())) if part
    )
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get("TEST_DATABASE_TEMPLATE")
    with django_db_blocker.unblock():
        with as_owner():
            config = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
            from django.core.management import call_command

            call_command("apply_privileges", stdout=io.StringIO())
            commit_without_waiting()
        yield
        close_cleaner()
        end_other_sessions()
        with as_owner():
            teardown_databases(config, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def plain_static_files(django_test_environment: None) -> Iterator[None]:
    """Static files as they are in the source, so that no test depends on when they were last collected.

    A browser keeps them while it is open: asking for each again with every page took as long as the page itself.
    """
    plain = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    source = {"WHITENOISE_AUTOREFRESH": True, "WHITENOISE_USE_FINDERS": True, "WHITENOISE_MAX_AGE": 3600}
    with override_settings(STORAGES=plain, **source):
        yield


@pytest.fixture(autouse=True)
def months_known_anew() -> Iterator[None]:
    """What this process knows of months of calls is forgotten: a test that is rolled back takes its months along."""
    yield
    partitions._made.clear()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real agent configurations and prompt histories; skips where it is absent."""
    folder = Path(settings.CORPUS)
    if not folder.is_dir():
        pytest.skip(f"The corpus of real configurations is not at {folder} (set CORPUS).")
    return folder
