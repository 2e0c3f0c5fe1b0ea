"""A load on a server by wrk, and what it measured."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """Answers per second, the time within which 99 of 100 came (ms), and how many were no 200."""

    rate: float
    p99_ms: float
    errors: int


def find_wrk() -> str | None:
    """Where wrk is."""
    return shutil.which("wrk")


def ask_with_wrk(address: str, script: Path, *, seconds: int) -> Load:
    """Ask as fast as sixteen connections can."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate, said
    assert slow, said
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = [int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", said)]
    errors = (int(refused[1]) if refused else 0) + sum(broken)
    return Load(float(rate[1]), float(slow[1]) * UNITS_MS[slow[2]], errors)
