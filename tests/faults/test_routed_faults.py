"""Decisions of a rollout while workers and PostgreSQL are killed: every call that was answered is counted, once."""

import threading
import time

import httpx
import pytest

from .installation import Installation, until

NUMBER = "+33198760001"
PREPARE = f"""
from agentversions.services.deployments import make_live
from agentversions.services.tokens import make_token
from channels.core.rollout_steps import Step
from channels.core.routes import Follow, Target, single
from channels.services.channels import create_channel
from channels.services.rollouts import start_rollout
from tests.factories import make_agent, make_user, make_version
boss = make_user("admin", is_superuser=True)
agent = make_agent(boss, slug="clinic")
for number in (1, 2):
    make_version(agent, name=f"Version {{number}}", system_prompt=f"Prompt {{number}}.")
make_live(version=agent.versions.get(number=1), actor=boss)
create_channel(address="{NUMBER}", plan=single(Target("clinic", Follow.LIVE)), actor=boss)
start_rollout(agent=agent, version=2, steps=[Step(30_000, 2.0, 0)], actor=boss)
made = make_token(name="t", roles=["viewer"], scopes=["read", "resolve", "metrics"], owner=boss, actor=boss)
print("TOKEN", made.secret)
"""


@pytest.fixture
def token(installation: Installation) -> str:
    return installation.token_made_by(PREPARE)


class Calls:
    """Asks for one call after another until told to stop; keeps the arm of every call that was answered."""

    def __init__(self, installation: Installation, token: str) -> None:
        self._address = f"{installation.address}/api/v1/resolve"
        self._headers = {"Authorization": f"Bearer {token}"}
        self.arms: dict[str, str] = {}
        self.refused = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Calls":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopped.is_set():
            number += 1
            call_id = f"call-{number}"
            body = {"number": NUMBER, "caller": f"+336{number:08d}", "call_id": call_id, "have": []}
            try:
                said = httpx.post(self._address, json=body, headers=self._headers, timeout=10, verify=False)
            except httpx.TransportError:
                self.refused += 1
                continue
            if said.status_code == 200:
                self.arms[call_id] = said.json()["rollout"]["arm"]
            else:
                self.refused += 1


def test_every_call_that_was_answered_is_counted_once_whatever_is_killed(
    installation: Installation, token: str
) -> None:
    with Calls(installation, token) as calls:
        until(lambda: len(calls.arms) > 30)
        until(lambda: installation.rows("SELECT count(*) FROM channels_routedcall")[0][0] > 10)
        installation.kill_a_worker()
        time.sleep(1)
        before = len(calls.arms)
        installation.kill_database()
        until(lambda: len(calls.arms) > before + 30)
        installation.kill_a_worker()
        time.sleep(1)
        installation.start_database()
        after = len(calls.arms)
        until(lambda: len(calls.arms) > after + 30)
    answered = dict(calls.arms)
    assert {"canary", "stable"} == set(answered.values())

    def counted() -> dict[str, str]:
        return dict(installation.rows("SELECT call_id, arm FROM channels_routedcall"))

    until(lambda: answered.items() <= counted().items())
    # A worker that was killed may have decided and not answered: that call counts too. It has no second row.
    assert len(counted()) <= len(answered) + calls.refused
    assert not list((installation.folder / "routed_spool").glob("*.aside"))
    until(lambda: installation.rows("SELECT count(*) FROM channels_routedcall")[0][0] == len(counted()))

    # What all workers counted stays, also what the killed ones did, but for the second before they were killed.
    page = httpx.get(f"{installation.address}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    routed = [line for line in page.text.splitlines() if line.startswith("canary_routed_total{")]
    assert len(routed) == 2, page.text
    total = sum(float(line.rsplit(" ", 1)[1]) for line in routed)
    assert len(answered) / 2 < total <= len(answered) + calls.refused
