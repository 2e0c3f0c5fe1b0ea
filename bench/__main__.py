"""`python -m bench`: every bench, one after the other; 1 when any of them misses a bar."""

import subprocess
import sys
from pathlib import Path

NOT_BENCHES = {
    "__init__",
    "__main__",
    "bare",
    "bare_view",
    # Longer than all others together: `make bench-canary`, `make bench-monitoring`.
    "canary",
    "canary_streams",
    "engines",
    "monitoring",
    "monitoring_admin",
    "monitoring_data",
    "peer_servers",
    "peers",
    "calibration",
    "fleet",
    "load",
    "scratch",
    "servers",
}


def main() -> int:
    """Run each bench in a process of its own, so that none warms the next."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_BENCHES)
    missed = []
    for name in names:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            missed.append(name)
    print(f"\nmissed a bar: {', '.join(missed)}" if missed else "\nall bars met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
