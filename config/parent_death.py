"""No process outlives the one that started it, even when that one is killed."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def stop_with_parent() -> None:
    """Ask Linux to send us SIGTERM when our parent dies; does nothing elsewhere."""
    parent = os.getppid()
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:  # it died while we asked
        os.kill(os.getpid(), signal.SIGTERM)
