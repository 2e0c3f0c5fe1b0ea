"""What Prometheus reads at /metrics: counted by every process of a machine in files of its own, added up when asked.

`PROMETHEUS_MULTIPROC_DIR` is a folder per process group under one root, set before `prometheus_client` is imported:
gunicorn's masters and the workers do so. Without it each process counts for itself alone.
"""

import contextlib
import os
import shutil
from pathlib import Path

from .data_folder import data_folder

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
WORKER = "worker-"


def root() -> Path:
    """The folder of all process groups of this installation on this machine."""
    return Path(os.environ.get("METRICS_FOLDER") or data_folder() / "metrics")


def count_in(group: str) -> Path:
    """Let this process, and those that it starts, count in the files of a group."""
    folder = root() / group
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
    return folder


def begin(group: str) -> None:
    """Forget what an earlier start of a group counted, and workers that are gone: counters begin at nothing again."""
    for folder in [root() / group, *(each for each in root().glob(f"{WORKER}*") if not _runs(each))]:
        shutil.rmtree(folder, ignore_errors=True)
    count_in(group)


def bury(process: int) -> None:
    """Forget what only a living process can say, when it ended; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    with contextlib.suppress(FileNotFoundError):
        mark_process_dead(process)  # type: ignore[no-untyped-call]


def _runs(folder: Path) -> bool:
    number = folder.name.removeprefix(WORKER)
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
