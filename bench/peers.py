"""`make bench-peers`: the same question to Unleash, MLflow and Phoenix, beside this product, in one run.

*Which configuration, of 4 kB, for this caller or by this name?* Each peer is installed from its registry into
`.venv/peers` (1 GB), runs as its documentation says for one machine, and answers through its own evaluation on the
server: Unleash a flag with two variants (frontend API), MLflow and Phoenix a prompt by its label, which do not choose
by caller. Ratios are to a bare Django view, round by round.
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

import httpx

from bench.bare_view import BARE, bare_environment
from bench.load import Load, ask_with_wrk, find_wrk
from bench.peer_servers import Peer, install_peers, mlflow, phoenix, unleash
from bench.scratch import scratch_database, start_django
from bench.servers import ask_script, environment_for, serve

CHANNELS = 10_000
ROUNDS = 5
SECONDS = 3
TEXT = "# Role\n" + "You answer the phone. " * 160


def main() -> int:
    """Run the bench and print its table; 1 when a peer could not be asked."""
    start_django()
    if not find_wrk():
        print("wrk was not found: install it (Debian: apt-get install wrk) and run this again.")
        return 1
    install_peers()
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder))


def _run(folder: Path) -> int:
    from bench.fleet import fill

    token, numbers = fill(CHANNELS)
    script = folder / "ask.lua"
    script.write_text(ask_script(token, numbers), encoding="utf-8")
    environment = environment_for(folder / "data")
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(serve("config.wsgi", 8360, environment))
        bare = stack.enter_context(serve(BARE, 8361, bare_environment(environment, ours, token, numbers[0], folder)))
        asked = {"bare Django view": (bare, script), "this product": (ours, script)}
        for name, start in {"Unleash": unleash, "MLflow": mlflow, "Phoenix": phoenix}.items():
            peer = stack.enter_context(start(folder, TEXT))
            asked[name] = (peer.address, _script_of(peer, folder / f"{name}.lua"))
            print(f"{name} {peer.version}: {_look(peer)}", flush=True)
        measured: dict[str, list[Load]] = {name: [] for name in asked}
        for address, each in asked.values():
            ask_with_wrk(address, each, seconds=3)
        for _ in range(ROUNDS):
            for name, (address, each) in asked.items():
                measured[name].append(ask_with_wrk(address, each, seconds=SECONDS))
    return _report(measured)


def _report(measured: dict[str, list[Load]]) -> int:
    base = measured["bare Django view"]
    print(f"\n{'server':<20} {'answers/s':>10} {'ratio: median (min–max)':>26} {'p99 ms':>8}  errors")
    for name, loads in measured.items():
        ratios = [load.rate / other.rate for load, other in zip(loads, base, strict=True)]
        words = f"{median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})"
        rate, p99 = median(load.rate for load in loads), median(load.p99_ms for load in loads)
        print(f"{name:<20} {rate:>10,.0f} {words:>26} {p99:>8.1f}  {sum(load.errors for load in loads)}")
    return 1 if any(load.errors for loads in measured.values() for load in loads) else 0


def _look(peer: Peer) -> str:
    """What one answer is, so that nobody measures errors."""
    answer = httpx.get(f"{peer.address}{peer.path.replace('CALLER', '33612345678')}", headers=peer.headers, timeout=30)
    answer.raise_for_status()
    assert "You answer the phone." in answer.text, answer.text[:300]
    return f"{len(answer.content):,} bytes"


def _script_of(peer: Peer, path: Path) -> Path:
    """wrk's script for a peer: ever other callers, where it chooses by caller."""
    headers = "\n".join(
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in peer.headers.items()
    )
    path.write_text(
        f"""
{headers}
local n = 0
request = function()
  n = n + 7
  return wrk.format("GET", (string.gsub({json.dumps(peer.path)}, "CALLER", string.format("3361%07d", n % 10000000))))
end
""",
        encoding="utf-8",
    )
    return path


if __name__ == "__main__":
    sys.exit(main())
