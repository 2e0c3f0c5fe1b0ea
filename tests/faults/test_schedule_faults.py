"""Planned changes with several workers that are killed: each is made once, none is lost."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx

from .installation import Installation, until

COUNT = 40
RETURN = timedelta(seconds=80)
PREPARE = f"""
from agentversions.services.tokens import make_token
from channels.core.routes import Target, single
from channels.services.channels import create_channel
from tests.factories import make_agent, make_user, make_version
boss = make_user("admin", is_superuser=True)
make_version(make_agent(boss, slug="clinic"))
for index in range({COUNT}):
    create_channel(address=f"+3319876{{index:04d}}", plan=single(Target("clinic")), actor=boss)
print("TOKEN", make_token(name="t", roles=["operator"], scopes=["write"], owner=boss, actor=boss).secret)
"""


def plan(installation: Installation, token: str, at: datetime) -> None:
    """Each number becomes V1 at its own moment; all return together, once a minute has made up for killed workers."""
    with httpx.Client(base_url=installation.address, headers={"Authorization": f"Bearer {token}"}) as client:
        for index in range(COUNT):
            moment = at + timedelta(milliseconds=100 * index)
            body = {
                "channels": [f"+3319876{index:04d}"],
                "route": {"agent": "clinic", "answers": "V1"},
                "at": moment.isoformat(),
                "back_at": (at + RETURN).isoformat(),
            }
            answer = client.post("/api/v1/schedule", json=body)
            assert answer.status_code == 201, answer.text


def test_every_planned_change_and_return_is_made_once_while_workers_are_killed(installation: Installation) -> None:
    token = installation.token_made_by(PREPARE)
    for _ in range(3):
        installation.start_worker()
    at = datetime.now(UTC) + timedelta(seconds=8)
    plan(installation, token, at)
    killed = 0

    def ended() -> int:
        return int(installation.rows("SELECT count(*) FROM channels_scheduledstep")[0][0])

    until(lambda: ended() > 0, seconds=60)
    while killed < 6:
        installation.kill_first_worker()
        installation.start_worker()
        killed += 1
        time.sleep(1)
    until(lambda: ended() >= COUNT, seconds=75)  # what a killed worker held comes back with the next minute
    until(lambda: ended() == 2 * COUNT, seconds=150)

    outcomes = installation.rows("SELECT step, outcome, count(*) FROM channels_scheduledstep GROUP BY 1, 2")
    assert sorted(outcomes) == [("back", "done", COUNT), ("go", "done", COUNT)]
    # Each number was added, went and came back: three states of its history, no more.
    history = Counter(row[0] for row in installation.rows("SELECT id FROM channels_historicalchannel"))
    assert set(history.values()) == {3}
    assert installation.rows("SELECT count(*) FROM channels_routebatch") == [(2 * COUNT,)]
