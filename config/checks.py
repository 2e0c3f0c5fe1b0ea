"""Every check of the code and every test, in the order in which they fail fastest.

`python -m config.checks lint|test|examples`
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from config.bootstrap import install_beside
from config.browser import install_browser
from config.data_folder import PROJECT
from config.problem import Problem

BIN = PROJECT / ".venv" / "bin"
# Long ones first, as they run side by side.
LINTS = {
    "types": ["mypy"],
    "templates (lint)": ["djlint", "templates", "--lint", "--quiet"],
    "layers": ["lint-imports", "--no-cache"],
    "code": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "templates (format)": [
        "djade",
        "--target-version",
        "5.2",
        "--check",
        *map(str, sorted((PROJECT / "templates").rglob("*.html"))),
    ],
}
FAULTS = "tests/faults"
"""Kills servers for minutes on end: `make test-faults`, before a release."""


def lint() -> int:
    """Run all checks of the code side by side; the words of those that fail follow."""
    return _side_by_side(LINTS, dict(os.environ))


def test() -> int:
    """All checks of the code with the migrations beside them, then every test, on both cores."""
    template = {"TEST_DATABASE_TEMPLATE": f"test_template_{os.getpid()}"}
    environment = {**os.environ, **template, "CHROMIUM_PATH": install_browser()}
    database = ["python", "-m", "tests.template_database"]
    beside = {
        "migrations (run once)": [*database, "make"],
        **LINTS,
        "migrations (complete)": ["python", "manage.py", "makemigrations", "--check", "--dry-run"],
    }
    try:
        if code := _side_by_side(beside, environment):
            return code
        started = time.monotonic()
        command = ["pytest", "-q", "-n", "2", "--dist", "worksteal", "tests", f"--ignore={FAULTS}"]
        print(f"\n$ {' '.join(command)}", flush=True)
        code = subprocess.call([str(BIN / "python"), "-m", *command], cwd=PROJECT, env=environment)
        print(f"{time.monotonic() - started:.1f} s", flush=True)
        return code
    finally:
        subprocess.call([str(BIN / "python"), *database[1:], "drop"], cwd=PROJECT, env=environment)


def examples() -> int:
    """The examples of the client against the frameworks themselves, which are installed beside the environment."""
    beside = PROJECT / ".venv" / "examples"
    install_beside("requirements-examples.lock", beside)
    places = [beside, PROJECT / "clients" / "python", PROJECT / "clients" / "python" / "examples"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
    # Without the project's own settings: the frameworks bring versions and warnings of their own.
    own = ["-c", os.devnull, "--rootdir", str(PROJECT), "--noconftest", "-p", "no:django"]
    command = [str(BIN / "python"), "-m", "pytest", "-q", *own]
    return subprocess.call([*command, "tests/clients/examples.py"], cwd=PROJECT, env=environment)


def _side_by_side(checks: dict[str, list[str]], environment: dict[str, str]) -> int:
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return max(pool.map(lambda name: _run(name, checks[name], environment), checks))


def _run(name: str, command: list[str], environment: dict[str, str]) -> int:
    started = time.monotonic()
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    words = f"\n{result.stdout}{result.stderr}" if result.returncode else ""
    verdict = "FAILED" if result.returncode else "fine"
    print(f"{name}: {verdict} ({time.monotonic() - started:.1f} s){words}", flush=True)
    return int(result.returncode != 0)  # a check that was killed has a negative one


if __name__ == "__main__":
    try:
        sys.exit({"lint": lint, "test": test, "examples": examples}[sys.argv[1]]())
    except Problem as problem:
        sys.exit(str(problem))
