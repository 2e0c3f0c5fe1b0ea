"""Reads LLM_ENDPOINTS: JSON itself, or the path of a JSON file; without it, OpenAI's own when its key is set."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

OPENAI = "https://api.openai.com/v1"
HOW = 'Write JSON such as {"production": {"providers": {"openai": {"url": "…", "key_from": "OPENAI_API_KEY"}}}}.'


def read_llm_endpoints(environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings by environment (staging, production). Raises ImproperlyConfigured with a sentence."""
    text = environment.get("LLM_ENDPOINTS", "").strip()
    if not text:
        return _of_openai(environment)
    try:
        read = json.loads(text if text.startswith("{") else Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise ImproperlyConfigured(f"LLM_ENDPOINTS: the file cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ImproperlyConfigured(f"LLM_ENDPOINTS is not JSON. {HOW}") from error
    if not isinstance(read, dict) or not all(isinstance(value, dict) for value in read.values()):
        raise ImproperlyConfigured(f"LLM_ENDPOINTS names no environment. {HOW}")
    return read


def _of_openai(environment: Mapping[str, str]) -> dict[str, Any]:
    if not environment.get("OPENAI_API_KEY"):
        return {}
    provider = {"url": environment.get("OPENAI_BASE_URL") or OPENAI, "key_from": "OPENAI_API_KEY"}
    one = {"providers": {"openai": provider}, "judge": {"provider": "openai", "model": "gpt-4o"}}
    return {"staging": one, "production": one}
