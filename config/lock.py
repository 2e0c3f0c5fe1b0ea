"""Compiles the lock files anew: exact versions with hashes and no host names. UPGRADE=1 takes newer versions.

`python -m config.lock`
"""

import json
import os
import sys

from config.bootstrap import UV, run_tool
from config.data_folder import PROJECT
from config.frontend import npm
from config.problem import Problem

COMPILE = [
    "pip",
    "compile",
    "--quiet",
    "--generate-hashes",
    "--no-emit-index-url",
    "--universal",
    "--python-version",
    "3.11",
]
LOCKS = {
    "requirements.lock": ["pyproject.toml"],
    # The same versions in development as in production.
    "requirements-dev.lock": ["--group", "dev", "-c", "requirements.lock", "pyproject.toml"],
    "requirements-uv.lock": ["--group", "uv"],
    "requirements-node.lock": ["--group", "node"],
    "requirements-examples.lock": ["--group", "examples", "-c", "requirements-dev.lock"],
    "requirements-bench.lock": ["--group", "bench", "-c", "requirements-dev.lock"],
    "requirements-engines.lock": ["--group", "engines", "-c", "requirements-dev.lock"],
}


def lock() -> None:
    """Write all lock files."""
    upgrade = bool(os.environ.get("UPGRADE"))
    for name, arguments in LOCKS.items():
        run_tool([str(UV), *COMPILE, *(["--upgrade"] if upgrade else []), *arguments, "-o", name], name)
    run_tool([*npm(), "update" if upgrade else "install", "--package-lock-only"], "package-lock.json")
    path = PROJECT / "package-lock.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for package in content["packages"].values():
        package.pop("funding", None)  # addresses that nothing reads
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        lock()
    except Problem as problem:
        sys.exit(str(problem))
