"""The figures of versions and their comparison equal the calls; the page says how sure a difference is."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from agentversions.models import Agent
from monitoring.core.comparing import Verdict
from monitoring.core.periods import DAY, Period, period_of
from monitoring.services.analytics import compare, figures_of
from tests.factories import make_user
from tests.monitoring.taking import take

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def around_now() -> Period:
    return period_of((NOW - DAY).date(), (NOW + DAY).date(), ZoneInfo("UTC"))


def test_figures_are_those_of_the_calls(agent: Agent) -> None:
    take(
        200,
        2,
        duration_s=lambda at: 60 + at,
        engaged=True,
        transferred=lambda at: at % 4 == 0,
        cost="0.25",
        currency="EUR",
        sentiment=lambda at: "positive" if at % 2 else "negative",
        latency_ms=400,
        evaluation="success",
    )
    take(50, 1, duration_s=30, engaged=True, error="tool timeout")
    take(7, 1, is_test=True, duration_s=999)
    two, one = figures_of(agent, around_now())
    assert [each.words for each in (two, one)] == ["V2", "V1"]
    assert two.measured["automation"] is not None
    assert (two.measured["automation"].value, two.measured["automation"].n) == (0.75, 200)
    assert two.measured["duration"] is not None
    assert two.measured["duration"].value == 159_500
    assert two.p50 == pytest.approx(159_000, rel=0.02)
    assert two.p95 == pytest.approx(249_000, rel=0.02)
    assert two.measured["latency"] is not None
    assert (two.sentiments, two.measured["latency"].value, two.costs) == ((50, 0, 50), 400, {"EUR": Decimal("0.25")})
    assert one.measured["errors"] is not None
    assert (one.measured["errors"].value, one.sums["calls"]) == (1.0, 50)
    differences = {each.measure.label: each.difference for each in compare(two, one)}
    assert differences["Automation rate"] is not None
    assert differences["Automation rate"].verdict == Verdict.CLEAR
    assert differences["Success rate"] is None


def test_the_page_compares_two_versions_in_words(agent: Agent) -> None:
    take(400, 1, duration_s=100, engaged=True, transferred=lambda at: at % 10 < 4)
    take(400, 2, duration_s=lambda at: 100 + at % 3, engaged=True, transferred=lambda at: at % 10 < 1)
    take(5, 0, duration_s=100, engaged=True)
    client = Client()
    client.force_login(make_user("viewer"))
    page = client.get("/analytics/?agent=clinic").content.decode()
    assert "90.0 %" in page
    assert "+30.0 pts" in page
    assert "Clear of chance" in page
    assert "Change 2" in page
    few = client.get("/analytics/?agent=clinic&head=draft&base=V1").content.decode()
    assert "Too few calls" in few
    assert "Choose an agent" in client.get("/analytics/?agent=nobody&days=x").content.decode()
