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
    "templates (format)": ["djade", "--target-version", "5.2", "--check"],
}
CORE = "tests/core"
FAULTS = "tests/faults"
"""Kills servers for minutes on end: `make test-faults`, before a release."""


def lint() -> int:
    """Run all checks side by side; the words of those that fail follow."""
    LINTS["templates (format)"] += [str(path) for path in sorted((PROJECT / "templates").rglob("*.html"))]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = list(pool.map(_lint, LINTS.items()))
    return max(results)


def test() -> int:
    """Migrations complete, then the tests that need no database, then all others, on both cores."""
    environment = {**os.environ, "CHROMIUM_PATH": install_browser()}
    python = str(BIN / "python")
    pytest = [python, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
    steps = [
        [python, "manage.py", "makemigrations", "--check", "--dry-run"],
        [*pytest, CORE],
        [*pytest, "tests", f"--ignore={CORE}", f"--ignore={FAULTS}"],
    ]
    for step in steps:
        started = time.monotonic()
        print(f"\n$ {' '.join(step[1:])}", flush=True)
        code = subprocess.call(step, cwd=PROJECT, env=environment)
        print(f"{time.monotonic() - started:.1f} s", flush=True)
        if code:
            return code
    return 0


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


def _lint(check: tuple[str, list[str]]) -> int:
    name, command = check
    started = time.monotonic()
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    words = f"\n{result.stdout}{result.stderr}" if result.returncode else ""
    verdict = "FAILED" if result.returncode else "fine"
    print(f"{name}: {verdict} ({time.monotonic() - started:.1f} s){words}", flush=True)
    return result.returncode


if __name__ == "__main__":
    try:
        sys.exit({"lint": lint, "test": test, "examples": examples}[sys.argv[1]]())
    except Problem as problem:
        sys.exit(str(problem))
