"""The scripted model, one process for all tests that ask it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.scripted_llm import ScriptedModel, scripted_model


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
