"""The scripted model, one process for all tests that ask it; a git repository on disk for each test of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scripted_llm import ScriptedModel, scripted_model

from .git_repository import Repository


@pytest.fixture(scope="session")
def _model() -> Iterator[ScriptedModel]:
    with scripted_model() as model:
        yield model


@pytest.fixture
def model(_model: ScriptedModel, settings: Any) -> ScriptedModel:
    """An OpenAI-compatible endpoint that says “yes” until it is told otherwise, set for both environments."""
    _model.script({"answers": [{"text": "yes"}]})
    settings.LLM_ENDPOINTS = _model.endpoints()
    return _model


@pytest.fixture
def repository(tmp_path: Path, settings: Any) -> Repository:
    """A repository with nothing in it; what is fetched from it is the test's own too."""
    settings.GIT_SYNC_FOLDER = tmp_path / "mirrors"
    return Repository(tmp_path)
