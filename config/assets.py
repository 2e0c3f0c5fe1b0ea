"""Front-end libraries, icon sprite and collected static files, each made anew only when something changed.

`python -m config.assets`
"""

import hashlib
import subprocess
import sys

from config import frontend
from config.bootstrap import PYTHON
from config.data_folder import PROJECT
from config.problem import Problem

COLLECTED = PROJECT / "staticfiles"
STAMP = COLLECTED.with_name(".staticfiles.state")


def build() -> None:
    """Everything a page loads, ready to be served: hashed names, compressed once."""
    frontend.build()
    state = _state()
    manifest = COLLECTED / "staticfiles.json"
    if manifest.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == state:
        return
    print("Collecting the static files …", flush=True)
    command = [str(PYTHON), "manage.py", "collectstatic", "--clear", "--noinput", "--verbosity", "0"]
    command += ["--ignore", "redoc*"]  # the API page is Swagger's; this one weighs 4 MB
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Problem(f"The static files could not be collected: {(result.stdout + result.stderr).strip()[-500:]}")
    STAMP.write_text(state, encoding="utf-8")


def _state() -> str:
    """What the collected files are made from: ours by content, the packages' by their lock."""
    digest = hashlib.sha256()
    for path in [
        *sorted((PROJECT / "static").rglob("*")),
        PROJECT / "requirements.lock",
        PROJECT / "config/settings.py",
    ]:
        if path.is_file():
            digest.update(f"{path.relative_to(PROJECT)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        build()
    except Problem as problem:
        sys.exit(str(problem))
