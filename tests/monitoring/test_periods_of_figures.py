"""Figures of a reader's days are those of exactly the calls in them, in every time zone; charts say what bent them."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent
from agentversions.services.deployments import make_live, roll_back
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant
from channels.core.rollout_states import By, Move
from channels.core.routes import Follow, Target
from channels.services.flags import archive_flag, create_flag, switch_flag
from channels.services.rollouts import move_rollout
from channels.services.routes import pin
from monitoring.core.figures import NAMES
from monitoring.core.periods import period_of
from monitoring.models import Call
from monitoring.services.analytics import ended_reasons, figures_of, series_of
from monitoring.services.checking import find_differences
from monitoring.services.events import list_events
from monitoring.services.fairness import fairness_warnings
from tests.channels.running_rollouts import make_rollout
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.monitoring.taking import take

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def spread_calls() -> None:
    """Calls at odd times of the last seventy days, of two versions."""
    for version in (1, 2):
        take(
            180,
            version,
            started_at=lambda at: NOW - timedelta(minutes=at * at * 3 + 7 * at),
            duration_s=lambda at: 20 + at * 1.7,
            engaged=True,
            error=lambda at: at % 7 == 0,
            ended_reason=lambda at: ("hung up", "agent ended")[at % 2],
            cost="0.1234567",
            currency="EUR",
        )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"])
@pytest.mark.parametrize("days", [1, 3, 60])
def test_a_readers_days_hold_exactly_their_calls(agent: Agent, zone: str, days: int) -> None:
    spread_calls()
    assert find_differences() == []
    today = NOW.astimezone(ZoneInfo(zone)).date()
    period = period_of(today - timedelta(days=days), today - timedelta(days=days // 2), ZoneInfo(zone))
    figures = {each.version: each for each in figures_of(agent, period)}
    series = series_of(agent, period, [1, 2])
    for version in (1, 2):
        calls = list(Call.objects.filter(version=version, started_at__gte=period.since, started_at__lt=period.until))
        counted = figures[version].sums["calls"] if version in figures else 0
        assert counted == len(calls)
        assert sum(sums["calls"] for sums in series[version].values()) == len(calls)
        for slot, sums in series[version].items():
            start, end = period.boundaries[slot : slot + 2]
            within = [call for call in calls if start <= call.started_at < end]
            assert (sums["calls"], sums["duration_ms"]) == (len(within), sum(call.duration_ms for call in within))
        if calls:
            lengths = sorted(call.duration_ms for call in calls)
            for share in (0.5, 0.95):
                exact = lengths[-(-int(share * 100) * len(lengths) // 100) - 1]
                found = figures[version].p50 if share == 0.5 else figures[version].p95
                assert found == pytest.approx(exact, rel=0.02)
            assert figures[version].costs["EUR"] == calls[0].cost
    reasons = {each.reason: each.shares[0][0] for each in ended_reasons(agent, period, [1])}
    assert sum(reasons.values()) == (figures[1].sums["calls"] if 1 in figures else 0)


def test_rare_reasons_are_added_up(agent: Agent) -> None:
    take(40, 1, started_at=NOW.isoformat(), ended_reason=lambda at: f"reason {at % 20}")
    period = period_of(NOW.date(), NOW.date() + timedelta(days=1), ZoneInfo("UTC"))
    reasons = ended_reasons(agent, period, [1])
    assert (len(reasons), reasons[-1].reason, reasons[-1].shares) == (13, "other", [(16, 0.4)])


def test_publishing_going_live_and_pinning_are_marked(agent: Agent) -> None:
    operator = make_user("operator")
    one, two = agent.versions.get(number=1), agent.versions.get(number=2)
    make_live(version=one, actor=operator)
    make_live(version=two, actor=operator)
    roll_back(agent=agent, to=one, reason="worse", actor=operator)
    for _ in range(3):
        channel = make_channel(agent, actor=operator)
        pin(channel=channel, target=Target("clinic", Follow.VERSION, 2), actor=operator)
    events = list_events(agent, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    said = [(event.words, event.base, event.head) for event in events]
    assert ("V2 published", "1", "2") in said
    assert ("V2 live", "1", "2") in said
    assert ("Rolled back to V1", "2", "1") in said
    assert ("V2 pinned to 3 numbers", "draft", "2") in said
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_rollouts_and_flags_that_moved_are_marked_with_their_pages(agent: Agent) -> None:
    operator = make_user("operator")
    make_live(version=agent.versions.get(number=1), actor=operator)
    rollout = make_rollout(agent, version=2, actor=operator)
    for move in (Move.ADVANCE, Move.PAUSE, Move.ROLL_BACK):
        move_rollout(rollout=rollout, move=move, by=By.PERSON, reason="Because", actor=operator)
    value = FlagValue("no-transfer", FlagType.TOOL, "on", "on", agent="clinic", subject="transfer_to_human")
    flag = create_flag(value=value, actor=operator).flag
    switch_flag(flag=flag, is_enabled=False, reason="It fails", actor=operator)
    switch_flag(flag=flag, is_enabled=True, reason="It works", actor=operator)
    archive_flag(flag=flag, actor=operator)
    greeting = FlagValue("greeting", FlagType.STRING, "a", "a", variants=(FlagVariant("a", "Hello"),))
    create_flag(value=greeting, actor=operator)
    create_flag(value=replace(greeting, key="of-another", agent=make_agent(slug="other").slug), actor=operator)
    moments = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    with CaptureQueriesContext(connection) as queries:
        events = list_events(agent, *moments)
    assert len(queries) <= 7
    assert [event.words for event in events if event.rollout == rollout.pk] == [
        "Rollout of V2: started at 10 %",
        "Rollout of V2: advanced to 25 %",
        "Rollout of V2: paused",
        "Rollout of V2: rolled back",
    ]
    assert [event.words for event in events if event.flag] == [
        "Flag no-transfer created (Tool transfer_to_human)",
        "Flag no-transfer switched off",
        "Flag no-transfer switched on again",
        "Flag no-transfer archived",
        "Flag greeting created (Value for the agent's code (text))",
    ]
    take(30, 1, started_at=(NOW - timedelta(minutes=5)).isoformat())
    client = Client()
    client.force_login(operator)
    page = client.get("/analytics/?agent=clinic").content.decode()
    assert '<a href="/flags/no-transfer/">Flag no-transfer switched off</a>' in page
    assert f'<a href="/rollouts/{rollout.pk}/">Rollout of V2: rolled back</a>' in page


def test_an_unfair_comparison_is_said_and_a_fair_one_is_not(agent: Agent) -> None:
    at_once = {"started_at": lambda at: NOW - timedelta(minutes=at % 600), "direction": "inbound"}
    take(300, 1, called=lambda at: f"+3319876{at % 4:04d}", caller=lambda at: f"+3361234{at:04d}", **at_once)
    take(300, 2, called=lambda at: f"+3319876{at % 4:04d}", caller=lambda at: f"+3361234{at + 300:04d}", **at_once)
    period = period_of(NOW.date() - timedelta(days=2), NOW.date(), ZoneInfo("UTC"))
    assert fairness_warnings(agent, period, 2, 1) == []
    take(
        900,
        2,
        called="+33198769999",
        caller="+33612349999",
        started_at=lambda at: NOW - timedelta(hours=30, minutes=at % 60),
        direction="outbound",
    )
    make_version(agent, name="Spanish", language="es")
    titles = [each.title for each in fairness_warnings(agent, period, 2, 1)]
    assert titles == ["Different numbers", "Different times", "Different hours", "Different callers"]
    take(1, 3, started_at=NOW.isoformat())
    assert fairness_warnings(agent, period, 3, 1)[0].words == "One speaks es, the other en."


def test_the_page_draws_what_the_table_says_and_exports_it(agent: Agent) -> None:
    spread_calls()
    client = Client()
    client.force_login(make_user("viewer"))
    page = client.get("/analytics/?agent=clinic&days=90&figure=errors&version=V1&version=V2").content.decode()
    assert "Errors by day" in page
    assert page.count("data-series=") == 2
    assert "V2 published" in page
    assert "hung up" in page
    assert "Automation rate by hour" in client.get("/analytics/?agent=clinic&days=7&by=hour").content.decode()
    assert "Automation rate by day" in client.get("/analytics/?agent=clinic&days=30&by=hour").content.decode()
    assert "by day" in client.get("/analytics/?agent=clinic&days=ever").content.decode()
    lines = b"".join(client.get("/analytics/export/?agent=clinic&days=90").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(lines.splitlines()[1:]))
    assert sum(int(row["calls"]) for row in rows) == 360
    assert set(NAMES) < set(rows[0])
    fairness = client.get("/analytics/fairness/?agent=clinic&days=90&head=V2&base=V1").content.decode()
    assert "as far as the calls tell" in fairness
    assert client.get("/analytics/fairness/?agent=clinic&days=90&head=V2&base=V2").status_code == 404
    assert client.get("/analytics/export/?agent=nobody").status_code == 404
