"""Lock files pin everything by hash and name no host, so that a mirror can serve them."""

import json
import re
import tomllib
from typing import Any

import pytest

from config.data_folder import PROJECT

GROUPS = ("dev", "node", "examples", "bench", "engines")
PYTHON_LOCKS = ("requirements.lock", "requirements-uv.lock", *(f"requirements-{group}.lock" for group in GROUPS))
HOST = re.compile(r"://|\b[\w-]+\.(com|org|io|net|dev)\b")


def pins(lock: str) -> dict[str, str]:
    """Name and version of every package in a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (PROJECT / lock).read_text(), re.MULTILINE))


def wanted(group: str) -> set[str]:
    """The packages that pyproject.toml asks for, without versions and extras."""
    document: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    lines = document["project"]["dependencies"] if group == "runtime" else document["dependency-groups"][group]
    return {re.split(r"[\[<>=!~ ]", line)[0].lower() for line in lines}


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, "package-lock.json"])
def test_no_lock_file_names_a_host(lock: str) -> None:
    assert not HOST.search((PROJECT / lock).read_text())


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_python_package_is_pinned_by_hash(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", (PROJECT / lock).read_text(), flags=re.MULTILINE))
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_front_end_package_is_pinned_by_hash() -> None:
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    libraries = {name: package for name, package in packages.items() if name}
    assert libraries
    assert [name for name, package in libraries.items() if not package.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.parametrize(
    ("group", "lock"), [("runtime", "requirements.lock"), *((group, f"requirements-{group}.lock") for group in GROUPS)]
)
def test_every_package_asked_for_is_locked(group: str, lock: str) -> None:
    assert wanted(group) <= set(pins(lock))


def test_development_runs_the_versions_of_production() -> None:
    development = pins("requirements-dev.lock")
    assert {name: development.get(name) for name in pins("requirements.lock")} == pins("requirements.lock")


def test_front_end_libraries_are_exact_versions() -> None:
    libraries = json.loads((PROJECT / "package.json").read_text())["dependencies"]
    assert [name for name, version in libraries.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
