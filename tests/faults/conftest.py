"""An installation of its own for each fault test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.conftest import data_folder, environment

from .installation import Installation

__all__ = ["data_folder", "environment"]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installed = Installation(tmp_path / "installation")
    try:
        installed.set_up()
        yield installed
    finally:
        installed.tear_down()
