"""Publishing while workers and PostgreSQL are killed: whole versions or none, and nothing acknowledged is lost."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.installation import Installation

SECONDS = 10.0
CLIENTS = 4
ENOUGH = 20
VERSIONS = "/api/v1/agents/clinic/versions"
PREPARE = """
from agentversions.services.tokens import make_token
from tests.factories import make_agent, make_user
robot = make_user("admin", is_superuser=True)
make_agent(robot, slug="clinic")
made = make_token(name="t", roles=["editor"], scopes=["read", "write"], owner=robot, actor=robot)
print("TOKEN", made.secret)
"""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    running = Installation(tmp_path / "data")
    try:
        running.set_up()
        yield running
    finally:
        running.tear_down()


def test_workers_killed_while_publishing_leave_whole_versions_without_gaps(installation: Installation) -> None:
    acknowledged, refusals = publish_under(installation, installation.kill_a_worker, every_s=2.0)
    assert refusals == []
    assert len(acknowledged) >= ENOUGH
    assert_whole(installation, acknowledged)


def test_a_killed_database_loses_nothing_it_acknowledged(installation: Installation) -> None:
    def kill_and_restart() -> None:
        installation.kill_database()
        time.sleep(0.5)
        installation.start_database()

    acknowledged, refusals = publish_under(installation, kill_and_restart, every_s=3.0)
    assert set(refusals) == {(503, "The database cannot be reached")}
    assert len(acknowledged) >= ENOUGH
    assert_whole(installation, acknowledged)


def publish_under(
    installation: Installation, fault: Callable[[], None], *, every_s: float
) -> tuple[list[int], list[tuple[int, str]]]:
    """Publish from several clients with faults, and once more after them; the numbers acknowledged and the refusals."""
    headers = {"Authorization": f"Bearer {prepare(installation)}"}
    acknowledged: list[int] = []
    refusals: list[tuple[int, str]] = []
    over = threading.Event()

    def publish(client: httpx.Client, name: str) -> bool:
        try:
            answer = client.post(VERSIONS, json={"name": name, "publish_identical": True})
        except httpx.TransportError:
            return False
        if answer.status_code == 201:
            acknowledged.append(answer.json()["number"])
            return True
        is_problem = answer.headers["Content-Type"] == "application/problem+json"
        refusals.append((answer.status_code, answer.json()["title"] if is_problem else answer.text[:500]))
        return False

    def work(seed: int) -> None:
        choice = random.Random(seed)
        with httpx.Client(base_url=installation.address, headers=headers, timeout=20) as client:
            while not over.is_set():
                if not publish(client, f"by {seed}, {choice.random()}"):
                    time.sleep(0.05)

    threads = [threading.Thread(target=work, args=[seed], daemon=True) for seed in range(CLIENTS)]
    try:
        for thread in threads:
            thread.start()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < SECONDS or (len(acknowledged) < ENOUGH and passed < 4 * SECONDS):
            time.sleep(every_s)
            fault()
    finally:
        over.set()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    with httpx.Client(base_url=installation.address, headers=headers, timeout=20) as client:
        deadline = time.monotonic() + 10
        while not publish(client, "afterwards"):
            assert time.monotonic() < deadline, "The server did not recover."
            time.sleep(0.1)
    return acknowledged, refusals


def prepare(installation: Installation) -> str:
    """An agent to publish, and a token that may."""
    return installation.token_made_by(PREPARE)


def assert_whole(installation: Installation, acknowledged: list[int]) -> None:
    """Numbers without gap or double, every acknowledged one there, each with its audit entry, every digest right."""
    numbers = [row[0] for row in installation.rows("SELECT number FROM agentversions_agentversion ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(numbers)
    audited = installation.rows(
        "SELECT (after->>'version')::int FROM agentversions_auditentry WHERE action = 'version published' ORDER BY 1"
    )
    assert [row[0] for row in audited] == numbers
    installation.manage("verify_versions", "--processes", "1")
