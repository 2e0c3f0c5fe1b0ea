"""A worker as the product runs it, beside the pages of a journey: a process of its own, on the test database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.channels.runtime import database_url

PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def working(**environment: str) -> Iterator[None]:
    """A worker with these settings more; it ends with the block."""
    variables = {**os.environ, "DATABASE_URL": database_url(), **environment}
    process = subprocess.Popen([sys.executable, "-m", "config.worker"], cwd=PROJECT, env=variables)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
