"""Making the environment never empties one that belongs to another project."""

from pathlib import Path

import pytest

from config import bootstrap
from config.problem import Problem


def test_an_environment_behind_a_link_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "activate").write_text("VIRTUAL_ENV='/elsewhere'", encoding="utf-8")
    link = tmp_path / ".venv"
    link.symlink_to(other)
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", link)
    monkeypatch.setattr(bootstrap, "PYTHON", link / "bin" / "python")
    with pytest.raises(Problem, match="is a link"):
        bootstrap._ensure_environment()
    assert (other / "bin" / "activate").exists()
