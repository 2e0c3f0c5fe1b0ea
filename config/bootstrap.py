"""Installs the locked Python packages into `.venv`; runs with the system's Python and nothing else.

`python3 -m config.bootstrap [--dev]`
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from config.problem import Problem

PROJECT = Path(__file__).resolve().parent.parent
ENVIRONMENT = PROJECT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
UV = ENVIRONMENT / "uv" / "bin" / "uv"
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
NO_NETWORK = re.compile(
    r"dns error|name resolution|Name or service not known|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH"
    r"|Connection refused|Network is unreachable|tcp connect error|error sending request|Failed to fetch|timed out"
    r"|Could not fetch URL|NewConnectionError|No matching distribution found for uv|Temporary failure",
    re.IGNORECASE,
)


def install(*, dev: bool) -> None:
    """Bring `.venv` to the state of the lock, unless it is there; development packages stay when they are there."""
    _ensure_environment()
    _ensure_uv()
    stamp = ENVIRONMENT / "installed"
    installed = stamp.read_text(encoding="utf-8") if stamp.exists() else ""
    if installed == _state(DEV) or (not dev and installed == _state(RUNTIME)):
        return
    lock = DEV if dev or installed.startswith(DEV) else RUNTIME
    print(f"Installing the Python packages of {lock} …", flush=True)
    run_tool(
        [str(UV), "pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), lock], "the Python packages"
    )
    stamp.write_text(_state(lock), encoding="utf-8")


def install_beside(lock: str, folder: Path) -> None:
    """Install a tool's lock into a folder of its own, unless it is there."""
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _state(lock):
        return
    _ensure_uv()
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(UV), "pip", "install", "--quiet", "--require-hashes", "--python", str(PYTHON)]
    run_tool([*command, "--target", str(folder), "--requirements", lock], lock)
    stamp.write_text(_state(lock), encoding="utf-8")


def run_tool(command: list[str], what: str) -> None:
    """Run an installer quietly; when it fails, say why in one sentence and keep its words in a log."""
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return
    words = (result.stdout + result.stderr).strip()
    log = PROJECT / ".venv" / "install.log"
    log.write_text(words + "\n", encoding="utf-8")
    if NO_NETWORK.search(words):
        raise Problem(
            f"{what[0].upper()}{what[1:]} could not be downloaded: connect to the network and run this again ({log})."
        )
    raise Problem(f"{what[0].upper()}{what[1:]} could not be installed: {_last_line(words)} ({log}).")


def _ensure_environment() -> None:
    activate = ENVIRONMENT / "bin" / "activate"
    is_here = activate.exists() and f'"{ENVIRONMENT}"' in activate.read_text(encoding="utf-8").replace("'", '"')
    # A project that was moved or copied keeps scripts that call the Python of the old place.
    if is_here and _answers([str(PYTHON), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
        return
    if ENVIRONMENT.is_symlink():
        raise Problem(f"{ENVIRONMENT} is a link to another environment, which would be emptied. Remove the link.")
    print("Making the Python environment .venv …", flush=True)
    make = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
    if _answers(make):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _answers(["apt-get", "update", "-q"])
        _answers(["apt-get", "install", "-q", "-y", "--no-install-recommends", "python3-venv"])
    if not _answers(make):
        raise Problem(
            f"{sys.executable} cannot make an environment: install its venv module (Debian and Ubuntu: "
            "apt-get install python3-venv) and run this again."
        )


def _ensure_uv() -> None:
    lock = "requirements-uv.lock"
    stamp = UV.parent.parent / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _state(lock):
        return
    shutil.rmtree(stamp.parent, ignore_errors=True)
    if not _answers([str(PYTHON), "-m", "pip", "--version"]):
        _answers([str(PYTHON), "-m", "ensurepip"])
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    run_tool([*command, "--target", str(stamp.parent), "--requirement", lock], "uv, which installs the packages,")
    stamp.write_text(_state(lock), encoding="utf-8")


def _state(lock: str) -> str:
    """What the environment is when this lock is installed: its name and content, and the Python below."""
    digest = hashlib.sha256((PROJECT / lock).read_bytes()).hexdigest()
    return f"{lock} {digest} {os.path.realpath(PYTHON)}"


def _last_line(words: str) -> str:
    return words.splitlines()[-1].strip() if words else "the installer said nothing"


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    try:
        install(dev="--dev" in sys.argv[1:])
    except Problem as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
