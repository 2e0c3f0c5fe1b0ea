"""Publishing while workers and PostgreSQL are killed: whole versions or none, and nothing acknowledged is lost."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.installation import Installation

SECONDS = 15.0
CLIENTS = 4


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    running = Installation(tmp_path / "data")
    try:
        running.set_up()
        yield running
    finally:
        running.tear_down()


def test_workers_killed_while_publishing_leave_whole_versions_without_gaps(installation: Installation) -> None:
    acknowledged = publish_under(installation, installation.kill_a_worker, every_s=1.0)
    assert len(acknowledged) > 20
    assert_whole(installation, acknowledged)


def test_a_killed_database_loses_nothing_it_acknowledged(installation: Installation) -> None:
    def kill_and_restart() -> None:
        installation.kill_database()
        time.sleep(0.5)
        installation.start_database()

    acknowledged = publish_under(installation, kill_and_restart, every_s=4.0)
    assert len(acknowledged) > 20
    assert_whole(installation, acknowledged)


def publish_under(installation: Installation, fault: Callable[[], None], *, every_s: float) -> list[int]:
    """Publish from several clients for a while with a fault now and then; the numbers that were acknowledged."""
    token = make_token(installation)
    headers = {"Authorization": f"Bearer {token}"}
    created = httpx.post(
        f"{installation.address}/api/v1/agents",
        json={"slug": "clinic", "configuration": {"name": "Clinic", "system_prompt": "You help."}},
        headers=headers,
        timeout=20,
    )
    assert created.status_code == 201, created.text
    acknowledged: list[int] = []
    until = time.monotonic() + SECONDS

    def work(seed: int) -> None:
        choice = random.Random(seed)
        with httpx.Client(base_url=installation.address, headers=headers, timeout=20) as client:
            while time.monotonic() < until:
                try:
                    address = "/api/v1/agents/clinic/versions"
                    body = {"name": f"by {seed}, {choice.random()}", "publish_identical": True}
                    answer = client.post(address, json=body)
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 201:
                    acknowledged.append(answer.json()["number"])
                else:
                    assert answer.status_code in (500, 503), answer.text
                    time.sleep(0.05)

    threads = [threading.Thread(target=work, args=[seed]) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until - 1:
        time.sleep(every_s)
        fault()
    for thread in threads:
        thread.join(timeout=60)
    return acknowledged


def make_token(installation: Installation) -> str:
    """A token that may publish."""
    code = (
        "from agentversions.models import User;"
        "User.objects.create_superuser('robot', 'robot@example.com', 'correct horse battery', roles=['editor'])"
    )
    installation.manage("shell", "-c", code)
    printed = installation.manage(
        "create_token", "faults", "--role", "editor", "--scopes", "read,write", "--owner", "robot"
    )
    return next(word for word in printed.split() if word.startswith("av_"))


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
    installation.manage("verify_versions")
