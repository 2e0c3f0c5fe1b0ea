"""Calls while things are killed: PostgreSQL, gunicorn's workers and master. No wrong answer, ever."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from .installation import Installation, until

NUMBERS = [f"+3319876{number:04d}" for number in range(30)]
PREPARE = """
from agentversions.services.tokens import make_token
from channels.core.routes import Follow, Target, WantedVariant, single
from channels.services.channels import create_channel
from channels.services.routes import plan_test
from tests.factories import make_agent, make_user, make_version
boss = make_user("admin", is_superuser=True)
agent = make_agent(boss, slug="clinic")
for number in (1, 2):
    make_version(agent, name=f"Version {number}", system_prompt=f"Prompt {number}.")
plans = [single(Target("clinic", Follow.VERSION, 1)), single(Target("clinic")), plan_test([
    WantedVariant("A", Target("clinic", Follow.VERSION, 1), 50_000),
    WantedVariant("B", Target("clinic", Follow.VERSION, 2), 50_000)])]
for index in range(30):
    create_channel(address=f"+3319876{index:04d}", plan=plans[index % 3], actor=boss)
made = make_token(name="t", roles=["operator"], scopes=["read", "write", "resolve"], owner=boss, actor=boss)
print("TOKEN", made.secret)
"""


@pytest.fixture
def token(installation: Installation) -> str:
    return installation.token_made_by(PREPARE)


@dataclass
class Platform:
    """Asks again and again, as a voice platform does; keeps every answer and every failure."""

    address: str
    token: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    broken: int = 0

    def ask(self, number: str, caller: str = "+33612345678") -> dict[str, Any] | None:
        """One question on a connection of its own; None when the connection broke."""
        question = {"number": number, "caller": caller, "call_id": "c"}
        try:
            said = httpx.post(
                f"{self.address}/api/v1/resolve",
                json=question,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=10,
                verify=False,  # no TLS here: reading certificates would be most of the time
            )
        except httpx.TransportError:
            self.broken += 1
            return None
        if said.status_code != 200:
            self.refusals.append(said.text)
            return None
        answer: dict[str, Any] = said.json()
        self.answers.append(answer)
        return answer

    def everything(self) -> dict[str, str]:
        """The digest that every number answers with; each must answer."""
        found = {}
        for number in NUMBERS:
            answer = self.ask(number)
            assert answer is not None, self.refusals[-1:] or "the connection broke"
            found[number] = answer["digest"]
        return found


def store_is_complete(installation: Installation) -> bool:
    ready = httpx.get(f"{installation.address}/readyz", timeout=5).json()
    return bool(ready["status"] == "ready" and ready["store_generation"] >= ready["generation"] > 0)


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_every_number_answers_while_postgresql_is_away_also_after_a_restart(
    installation: Installation, token: str, how: str
) -> None:
    platform = Platform(installation.address, token)
    before = platform.everything()
    until(lambda: store_is_complete(installation))
    (installation.kill_database if how == "killed" else installation.freeze_database)()
    try:
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            assert platform.everything() == before
        assert platform.answers[-1]["stale"] is True
        installation.kill_a_worker()
        until(lambda: platform.ask(NUMBERS[0]) is not None)
        assert platform.everything() == before
        installation.kill_server()
        installation.start_server(ready="/readyz")
        assert platform.everything() == before
        assert platform.answers[-1]["stale"] is True
    finally:
        if how == "frozen":
            installation.thaw_database()
    if how == "killed":
        installation.start_database()
    until(lambda: (platform.ask(NUMBERS[0]) or {"stale": True})["stale"] is False)
    assert platform.everything() == before
    assert platform.refusals == []


def test_workers_killed_while_routes_are_saved_never_give_a_state_that_was_not_saved(
    installation: Installation, token: str
) -> None:
    """One number flips between two routes; each differs in two things, so a torn read would show."""
    platform = Platform(installation.address, token)
    number, stop = NUMBERS[0], threading.Event()
    routes = [
        {"agent": "clinic", "answers": "V1"},
        {
            "variants": [
                {"name": "Two", "agent": "clinic", "answers": "V2", "share": "99.999"},
                {"name": "Rest", "agent": "clinic", "answers": "V1", "share": "0.001"},
            ]
        },
    ]
    saved = {(1, None, 100.0), (2, "Two", 99.999), (1, "Rest", 0.001)}

    def flip() -> None:
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                address = f"{installation.address}/api/v1/channels/{number}/route"
                httpx.put(address, content=json.dumps(routes[turn % 2]), headers=headers, timeout=10, verify=False)
            except httpx.TransportError:
                continue

    def listen() -> None:
        while not stop.is_set():
            platform.ask(number, caller=f"+3361234{len(platform.answers) % 10_000:04d}")

    threads = [threading.Thread(target=flip), *(threading.Thread(target=listen) for _ in range(3))]
    for thread in threads:
        thread.start()
    for _ in range(8):
        time.sleep(2)
        installation.kill_a_worker()
    stop.set()
    for thread in threads:
        thread.join(30)
    heard = {(answer["version"], answer["variant"], answer["share"]) for answer in platform.answers}
    assert heard <= saved
    assert {(1, None, 100.0), (2, "Two", 99.999)} <= heard
    assert platform.refusals == []
    assert len(platform.answers) > 200
