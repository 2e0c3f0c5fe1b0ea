"""Call records while processes and PostgreSQL are killed or frozen: every acknowledged one is stored in the end."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from monitoring.core.frames import Frames
from monitoring.services.spool import Spool

from .installation import PROJECT, Installation, until

WRITER = """
import sys
from pathlib import Path
from monitoring.services.spool import Spool
spool = Spool(Path(sys.argv[1]), limit=2**30)
number = 0
while True:
    number += 1
    spool.append((f"{sys.argv[2]}:{number}:" + "x" * (number * 37 % 5000)).encode())
    print(number, flush=True)
"""
PREPARE = """
from agentversions.services.tokens import make_token
from tests.factories import make_agent, make_user, make_version
boss = make_user("admin", is_superuser=True)
make_version(make_agent(boss, slug="clinic"))
print("TOKEN", make_token(name="t", roles=["viewer"], scopes=["calls"], owner=boss, actor=boss).secret)
"""
SECONDS = 15


def test_every_append_that_was_acknowledged_is_found_after_its_process_was_killed(tmp_path: Path) -> None:
    folder, acknowledged = tmp_path / "spool", set()
    for turn in range(8):
        writers = {
            name: subprocess.Popen(
                [sys.executable, "-c", WRITER, str(folder), name], cwd=PROJECT, stdout=subprocess.PIPE, text=True
            )
            for name in (f"{turn}a", f"{turn}b")
        }
        for name, writer in writers.items():
            assert writer.stdout is not None
            first = writer.stdout.readline()  # the interpreter has started
            acknowledged.add((name, int(first)))
        time.sleep(random.Random(turn).uniform(0.05, 0.4))
        for name, writer in writers.items():
            writer.kill()
            assert writer.stdout is not None
            with writer.stdout as said:
                rest = said.read()
            writer.wait(30)
            # A last line without its end was not said.
            acknowledged |= {(name, int(line)) for line in rest.rpartition("\n")[0].splitlines()}
    assert len(acknowledged) > 100
    spool, found = Spool(folder, limit=2**30), set()
    for path in spool.segments():
        with spool.taken(path) as frames:
            assert isinstance(frames, Frames)
            for payload in frames:
                name, number, _ = payload.decode().split(":")
                found.add((name, int(number)))
            assert not frames.is_damaged
    assert acknowledged - found == set()


class Sender:
    """Sends records under names of their own, from several threads; remembers what was acknowledged."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._headers = f"{address}/api/v1/calls", {"Authorization": f"Bearer {token}"}
        self.acknowledged: dict[str, int] = {}
        self.other: list[tuple[int, str]] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=[number], daemon=True) for number in range(4)]

    def send(self, name: str, timeout: float = 20) -> int:
        """The status of one record's answer; 0 when the connection broke."""
        record = {"id": name, "duration_s": 5, "engaged": True, "summary": "x" * 500}
        try:
            said = httpx.post(self._address, json=record, headers=self._headers, timeout=timeout, verify=False)
        except httpx.TransportError:
            return 0
        if said.status_code in (200, 202):
            self.acknowledged[name] = said.status_code
        else:
            self.other.append((said.status_code, said.text[:300]))
        return said.status_code

    def __enter__(self) -> "Sender":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self, number: int) -> None:
        count = 0
        while not self._over.is_set():
            count += 1
            self.send(f"{number}-{count}")
            time.sleep(0.02)


@pytest.fixture
def sender(installation: Installation) -> Sender:
    token = installation.token_made_by(PREPARE)
    until(lambda: _ready(installation)["store_generation"] >= _ready(installation)["generation"] > 0)
    return Sender(installation.address, token)


def _ready(installation: Installation) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{installation.address}/readyz", timeout=5).json()
    return found


def test_nothing_acknowledged_is_lost_while_postgresql_and_web_workers_are_killed(
    installation: Installation, sender: Sender
) -> None:
    with sender:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            time.sleep(1)
            installation.kill_database()
            time.sleep(1.5)
            installation.kill_a_worker()
            time.sleep(1)
            installation.start_database()
            time.sleep(1)
            installation.kill_a_worker()
    assert {202, 200} == set(sender.acknowledged.values())
    assert {status for status, _ in sender.other} <= {503}, sender.other[:3]
    assert len(sender.acknowledged) > 50
    # No request and no hand: the worker alone takes in what waits, within its minute.
    installation.start_worker()
    until(lambda: _ready(installation)["calls_waiting_bytes"] == 0, seconds=100)
    stored = {row[0] for row in installation.rows("SELECT sender_id FROM monitoring_call")}
    assert set(sender.acknowledged) - stored == set()
    assert _ready(installation)["calls_set_aside_bytes"] == 0
    assert installation.rows("SELECT count(*) FROM monitoring_callcorrection") == [(0,)]
    installation.manage("check_rollups")


def test_a_frozen_database_keeps_no_later_record_waiting_and_a_body_in_chunks_is_read(
    installation: Installation, sender: Sender
) -> None:
    assert sender.send("before") == 200
    installation.freeze_database()
    try:
        until(lambda: bool(_ready(installation)["stale"]), seconds=15)
        time.sleep(3)  # the other worker's look at the log as well
        started = time.monotonic()
        assert [sender.send(f"frozen-{index}") for index in range(20)] == [202] * 20
        assert time.monotonic() - started < 10
    finally:
        installation.thaw_database()
    until(lambda: not _ready(installation)["stale"])
    until(lambda: sender.send("after") == 200)

    def parts() -> Iterator[bytes]:
        yield b'[{"id": "in-'
        yield b'chunks"}]'

    said = httpx.post(
        f"{installation.address}/api/v1/calls", content=parts(), headers=sender._headers, timeout=20, verify=False
    )
    assert (said.status_code, said.json()["calls"]) == (200, 1)
    until(lambda: _ready(installation)["calls_waiting_bytes"] == 0)
    stored = {row[0] for row in installation.rows("SELECT sender_id FROM monitoring_call")}
    assert stored == {*sender.acknowledged, "in-chunks"}
