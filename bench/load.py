"""A load on a server by wrk, and what it measured."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

CONNECTIONS = 16
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """Answers per second, the times within which 99 and 50 of 100 came (ms), how many were no 200."""

    rate: float
    p99_ms: float
    p50_ms: float
    errors: int


def find_wrk() -> str | None:
    """Where wrk is."""
    return shutil.which("wrk")


def ask_with_wrk(address: str, script: Path, *, seconds: int) -> Load:
    """Ask as fast as sixteen connections can."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate, said
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = [int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", said)]
    errors = (int(refused[1]) if refused else 0) + sum(broken)
    return Load(float(rate[1]), _percentile(said, 99), _percentile(said, 50), errors)


def _percentile(said: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    return float(found[1]) * UNITS_MS[found[2]]


@contextmanager
def hammer(address: str, cookie: str, *, seconds: int, is_on: bool) -> Iterator[Callable[[], float]]:
    """Two connections that ask for pages without a pause; gives a function that says how many came per second."""
    process = None
    if is_on:
        page = httpx.get(f"{address}/channels/", headers={"Cookie": cookie}, timeout=10)
        assert page.status_code == 200, page.headers.get("Location", page.text[:300])
        command = ["wrk", "-t1", "-c2", f"-d{seconds}s", "-H", f"Cookie: {cookie}", f"{address}/channels/"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(1)
    said = ""

    def rate() -> float:
        found = re.search(r"Requests/sec:\s+([\d.]+)", said)
        return float(found[1]) if found else 0.0

    yield rate
    if process is not None:
        said = process.communicate()[0]
        assert "Non-2xx" not in said, said
