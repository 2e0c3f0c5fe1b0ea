"""Before and after a test: how long one would take, what a number without one shows, figures in words."""

from datetime import timedelta

import pytest
from django.test import Client

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.core.routes import Follow, Target
from channels.services.routes import pin
from monitoring.core.comparing import Difference, Estimate, Verdict
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from monitoring.templatetags.monitor import about, as_interval
from tests.factories import make_agent, make_channel, make_user, make_version

from .ab import ADDRESS

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent, system_prompt="Prompt 1.")
    return agent


def test_a_number_that_never_had_a_test_shows_nothing(agent: Agent) -> None:
    make_channel(agent, address=ADDRESS)
    client = Client()
    client.force_login(make_user("viewer"))
    address = f"/analytics/ab/{ADDRESS}/"
    assert client.get(address, headers={"HX-Request": "true"}).content.strip() == b""
    assert "No A/B test was ever on this number" in client.get(address).content.decode()


def test_the_plan_says_how_long_a_test_takes(agent: Agent) -> None:
    channel = make_channel(agent, address=ADDRESS)
    client = Client()
    client.force_login(make_user("operator"))
    address = f"/analytics/ab/{ADDRESS}/plan/"
    assert "No call of this number is known" in client.get(f"{address}?share=50&share=50").content.decode()
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=make_user("operator"))
    now = database_now()
    ingest(
        [
            read_record(
                {"id": f"old-{at}", "called": ADDRESS, "started_at": now - timedelta(hours=at), "duration_s": 60,
                 "engaged": True, "transferred": at % 4 == 0}
            )
            for at in range(480)
        ],
        source="api",
    )  # fmt: skip
    plan = client.get(f"{address}?share=50&share=50").content.decode()
    assert 'At <span class="num">24' in plan
    assert "75.0 %" in plan
    assert "3-point" in plan
    assert client.get(f"{address}?share=90&share=10").content.decode() != plan
    typing = client.get(f"{address}?share=50&share=").content.decode()
    assert "Give each variant a share" in typing
    form = client.post(f"/channels/{ADDRESS}/", {"mode": "single", "step": "test", "agent": "clinic"}).content.decode()
    assert f'hx-get="{address}"' in form


def test_intervals_name_their_unit_once_and_rough_numbers_are_round() -> None:
    assert as_interval(Estimate(0.7, 0.645, 0.76, 9), "rate") == "64.5 to 76.0 %"
    assert as_interval(Estimate(135_000, 128_000, 142_000, 9), "length") == "2:08 to 2:22"
    assert as_interval(Difference(0.035, -0.026, 0.096, Verdict.WITHIN), "rate") == "−2.6 to +9.6 pts"
    assert as_interval(Difference(1_400, -12_500, 15_400, Verdict.WITHIN), "length") == "−12.5 to +15.4 s"
    assert [about(number) for number in (7, 41, 164, 16_496)] == [7, 41, 160, 16_000]
