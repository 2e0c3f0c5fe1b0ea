"""A spool of its own for each test, and no memory of another test's outage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.services import outages
from monitoring.services.spool import Spool, the_spool


@pytest.fixture(autouse=True)
def spool(settings: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    settings.CALL_SPOOL = tmp_path / "spool"  # type: ignore[attr-defined]
    monkeypatch.setattr(outages, "_away_until", 0.0)
    found = the_spool()
    yield found
    found.close()
