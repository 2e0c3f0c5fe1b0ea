"""A Chromium for the browser tests: the machine's, else Debian's package when root, else playwright's.

`python -m config.browser [--install]` prints its path.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from config.problem import Problem

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """A Chromium that starts (Ubuntu's `chromium-browser` is only a signpost), CHROMIUM_PATH first."""
    candidates = [os.environ.get("CHROMIUM_PATH"), *map(shutil.which, NAMES), _playwright_browser()]
    return next((path for path in candidates if path and _starts(path)), None)


def install_browser() -> str:
    """The path of a Chromium, installed when there is none."""
    if found := find_browser():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium (apt-get) …", file=sys.stderr, flush=True)
        _quietly("apt-get", "update")
        _quietly("apt-get", "install", "-y", "--no-install-recommends", "chromium")
    if not (found := find_browser()):
        print("Installing Chromium (playwright) …", file=sys.stderr, flush=True)
        _quietly(sys.executable, "-m", "playwright", "install", "chromium")
        found = find_browser()
    if not found:
        raise Problem(
            "The browser tests need Chromium, and it could neither be found nor installed: "
            "install the package chromium, or set CHROMIUM_PATH to one."
        )
    return found


def _playwright_browser() -> str | None:
    """Where playwright keeps its Chromium; asked in a process of its own, because it starts a driver."""
    code = "from playwright.sync_api import sync_playwright as p\nwith p() as w: print(w.chromium.executable_path)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    path = result.stdout.strip()
    return path if path and Path(path).exists() else None


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, check=False, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _quietly(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def main(arguments: list[str]) -> int:
    """The command line."""
    path = install_browser() if "--install" in arguments else find_browser()
    print(path or "none")
    return 0 if path else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(str(problem))
