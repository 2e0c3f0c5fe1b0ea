"""An import is killed in the middle: what it took in stays, and going on repeats nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from monitoring.models import Call, ImportProgress
from monitoring.services.checking import find_differences
from tests.monitoring.test_importing import run, write_lines


@pytest.mark.django_db(transaction=True)
def test_a_kill_in_the_middle_loses_and_repeats_nothing(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "calls.ndjson", 12_000)
    environment = {
        **os.environ,
        "DATABASE_URL": database(),
        "DATABASE_OWNER_URL": "",
    }
    command = [sys.executable, "manage.py", "import_calls", str(path)]
    first = subprocess.Popen(
        command, env=environment, cwd=django_settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not ImportProgress.objects.filter(records__gt=0).exists():
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    progress = ImportProgress.objects.get()
    assert 0 < progress.records < 12_000
    assert Call.objects.count() == progress.records
    run(path, resume=True)
    assert Call.objects.count() == ImportProgress.objects.get().records == 12_000
    assert find_differences() == []


def database() -> str:
    """The address of the tests' database, for another process."""
    known = connection.settings_dict
    return f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
