"""Installations of their own: each with its own data folder, PostgreSQL and port."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import embedded_postgres


def new_folder() -> Path:
    """A folder that every user can pass through (pytest's own temporary folders are closed to the server's user)."""
    memory = "/dev/shm"  # a new cluster is 40 MB of small synced writes
    folder = Path(tempfile.mkdtemp(prefix="agent-versions-test-", dir=memory if os.access(memory, os.W_OK) else None))
    folder.chmod(0o755)
    return folder


@contextmanager
def installation() -> Iterator[Path]:
    """The data folder of an empty installation; its server is stopped and everything removed afterwards."""
    folder = new_folder()
    data = folder / ".data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGENT_VERSIONS_DATA", str(data))
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("DATABASE_OWNER_URL", raising=False)
        yield data
        embedded_postgres.stop()
    if (link := data / "postgres").is_symlink():
        shutil.rmtree(link.readlink().parent)
    shutil.rmtree(folder)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """An installation for one test."""
    with installation() as data:
        yield data


@pytest.fixture(scope="module")
def shared_data_folder() -> Iterator[Path]:
    """An installation for the tests of a module that only look."""
    with installation() as data:
        yield data


@pytest.fixture
def environment(data_folder: Path) -> dict[str, str]:
    """The environment of a program that belongs to that installation."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PUBLIC_URL", "PORT", "MAKELEVEL"}}
    return {**kept, "AGENT_VERSIONS_DATA": str(data_folder), "BACKUP_FOLDER": str(data_folder.parent / "backups")}
