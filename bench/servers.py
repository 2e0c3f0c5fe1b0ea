"""Servers for benches: the product, its runtime alone, and what they are compared with, each on a port of its own."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

PROJECT = Path(__file__).resolve().parent.parent
BESIDE = PROJECT / ".venv" / "bench"
"""Where `requirements-bench.lock` is installed: granian."""


def environment_for(folder: Path) -> dict[str, str]:
    """What a server needs to use the scratch database, with a data folder of its own."""
    from bench.fleet import SECRET, database_url

    folder.mkdir(exist_ok=True)
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "AGENT_VERSIONS_DATA": str(folder),
        "LOG_LEVEL": "ERROR",
        "SECRET_KEY": SECRET,
        "DEBUG": "",
    }


@contextlib.contextmanager
def serve(application: str, port: int, environment: dict[str, str]) -> Iterator[str]:
    """A server of two workers for the time of a measurement."""
    address = f"http://127.0.0.1:{port}"
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"]
    granian = [
        *(sys.executable, "-m", "granian"),
        *("--interface", "wsgi", "--workers", "2", "--port", str(port), "--log-level", "error", "--no-ws"),
        "config.runtime_wsgi:application",
    ]
    process = subprocess.Popen(
        granian if application == "granian" else gunicorn,
        cwd=PROJECT,
        env={**environment, "PORT": str(port), "WSGI_APP": application, "PYTHONPATH": str(BESIDE)},
    )
    try:
        _wait(address)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def memory_of_workers(address: str) -> float:
    """The resident memory of the greatest worker behind an address, in MB."""
    found: dict[int, float] = {}
    for _ in range(40):
        process = int(httpx.get(f"{address}/readyz", timeout=10).json()["worker"])
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        found[process] = int(status.split("VmRSS:")[1].split()[0]) / 1024
    return max(found.values())


def _wait(address: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"{address}/api/v1/resolve", content=b"{}", timeout=5)
            time.sleep(0.5)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer.")


def ask_script(token: str, numbers: list[str], *, pause_ms: float = 0) -> str:
    """wrk's script: all numbers in turn, ever other callers, each with a call id; `pause_ms` between two questions."""
    delay = (
        f"delay = function() return math.floor(-math.log(1 - math.random()) * {pause_ms} + 0.5) end" if pause_ms else ""
    )
    first = int(re.sub(r"\D", "", numbers[0]))
    return f"""
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
  n = n + 7
  local body = string.format(
    '{{"number": "+%d", "caller": "+3361%07d", "call_id": "c-%d"}}', {first} + n % {len(numbers)}, n % 10000000, n)
  return wrk.format(nil, "/api/v1/resolve", nil, body)
end
{delay}
"""
