"""Templates hold no inline script or style, and nothing is marked as safe."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((PROJECT / "templates").rglob("*.html"))
FORBIDDEN = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|\|\s*safe\b|autoescape off|javascript:", re.IGNORECASE
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_template_needs_no_exception_from_the_policy(path: Path) -> None:
    found = FORBIDDEN.findall(path.read_text(encoding="utf-8"))
    assert found == []


def test_no_python_code_marks_text_as_safe() -> None:
    for folder in ("agentversions", "config"):
        for path in (PROJECT / folder).rglob("*.py"):
            assert "mark_safe" not in path.read_text(encoding="utf-8"), path
