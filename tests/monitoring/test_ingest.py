"""Calls come in: attributed, counted, corrected, in any order; the figures equal the calls."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentversions.models import Agent
from channels.core.resolution import sign
from channels.core.routes import Follow, Target
from channels.models import Channel, SigningKey
from channels.services.routes import pin
from monitoring.core.records import CallRecord, read_record
from monitoring.models import Call, CallContent, CallCorrection, CallLedger, HourFigures
from monitoring.services.checking import find_differences
from monitoring.services.ingest import ingest
from monitoring.services.partitions import count_in_default
from tests.factories import make_channel, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def channel(agent: Agent) -> Channel:
    channel = make_channel(agent, address="+33198765432")
    return pin(channel=channel, target=Target("clinic", Follow.VERSION, 2), actor=make_user("operator"))


def send(*documents: dict[str, Any], source: str = "api") -> None:
    ingest([read_record(document) for document in documents], source=source)


def token(agent: Agent, *, version: int | None = 1, key: bytes = b"key", exp: float = 1e11) -> str:
    SigningKey.objects.get_or_create(name="k1", defaults={"secret": b"key"})
    digest = agent.versions.get(number=version).configuration_id if version else agent.draft_id
    payload = {
        "n": "+33198765432", "c": "CA1", "a": agent.slug, "v": version, "d": digest, "r": "0" * 64, "t": "Control",
        "b": 37_214, "s": 50_000, "w": "SPLIT", "u": "caller", "iat": int(time.time()), "exp": exp,
    }  # fmt: skip
    return sign(payload, key_id="k1", key=key)


def call(sender_id: str = "a") -> Call:
    found: Call = Call.objects.get(sender_id=sender_id)
    return found


def test_a_call_with_its_resolution_is_attributed_exactly(agent: Agent) -> None:
    send({"id": "a", "started_at": AT, "resolution": token(agent), "caller": "+33612345678"})
    row = call()
    assert (row.attribution, row.agent_id, row.version, row.variant) == ("token", agent.pk, 1, "Control")
    assert (row.digest, row.channel) == (agent.versions.get(number=1).configuration_id, "+33198765432")
    assert (row.caller_shown, row.is_over) == ("•••• 5678", False)
    assert b"612345678" not in bytes(row.caller_secret)
    assert row.decision["b"] == 37_214


def test_a_draft_is_attributed_as_version_0(agent: Agent) -> None:
    send({"id": "a", "resolution": token(agent, version=None)})
    assert (call().version, call().version_words, call().digest) == (0, "Draft", agent.draft_id)


@pytest.mark.parametrize("fields", [{"key": b"forged"}, {"exp": 1_000.0}])
def test_a_forged_or_expired_resolution_is_flagged_and_the_call_kept(agent: Agent, fields: dict[str, Any]) -> None:
    send({"id": "a", "resolution": token(agent, **fields)}, {"id": "b", "resolution": "nonsense"})
    assert [(row.attribution, row.agent_id, row.version) for row in Call.objects.all()] == [("forged", 0, None)] * 2


def test_without_a_resolution_the_numbers_route_at_the_start_tells(agent: Agent, channel: Channel) -> None:
    now = datetime.now(UTC)
    send(
        {"id": "a", "started_at": now + timedelta(seconds=5), "called": "+33 1 98 76 54 32"},
        {"id": "b", "started_at": AT - timedelta(days=365), "called": "+33198765432"},
        {"id": "c", "called": "+442071234567"},
    )
    assert (call("a").attribution, call("a").version) == ("inferred", 2)
    assert (call("b").attribution, call("b").agent_id) == ("none", 0)  # the number was not there yet
    assert (call("c").attribution, call("c").channel) == ("none", "+442071234567")


def test_start_end_and_analysis_make_one_call_counted_once(agent: Agent) -> None:
    send({"id": "a", "event": "start", "started_at": AT, "resolution": token(agent)})
    assert HourFigures.objects.get().over == 0
    send({"id": "a", "ended_at": AT + timedelta(seconds=145), "engaged": True, "ended_reason": "caller hung up"})
    send(
        {"id": "a", "evaluation": "success", "sentiment": "positive", "cost": "0.12", "currency": "EUR",
         "transcript": [{"role": "user", "text": "Hello"}]},
    )  # fmt: skip
    row = call()
    assert (row.duration_ms, row.evaluation, row.sentiment, row.is_automated) == (145_000, "success", 1, True)
    assert (row.agent_id, row.version) == (agent.pk, 1)
    figures = HourFigures.objects.get()
    assert (figures.calls, figures.over, figures.automated, figures.succeeded, figures.duration_ms) == (
        1,
        1,
        1,
        1,
        145_000,
    )
    assert CallContent.objects.get().transcript == [{"role": "user", "text": "Hello"}]
    assert CallLedger.objects.count() == 1
    assert find_differences() == []


def test_a_corrected_start_moves_the_call_to_another_month_with_its_transcript(agent: Agent) -> None:
    send({"id": "a", "sequence": 1, "started_at": AT, "resolution": token(agent), "transcript": [{"role": "user"}]})
    send({"id": "a", "sequence": 2, "started_at": AT + timedelta(hours=2)})
    assert call().started_at == AT + timedelta(hours=2)
    assert CallContent.objects.get().started_at == AT + timedelta(hours=2)
    assert CallLedger.objects.get().started_at == AT + timedelta(hours=2)
    correction = CallCorrection.objects.get()
    assert (correction.field, str(AT) in str(correction.before)) == ("started_at", True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM monitoring_call")
        assert cursor.fetchall() == [("monitoring_call_202611",)]
    assert count_in_default() == 0
    assert find_differences() == []


def test_repeating_a_record_changes_nothing(agent: Agent) -> None:
    document = {"id": "a", "started_at": AT, "duration_s": 61.5, "error": "tool timeout", "resolution": token(agent)}
    send(document, document)
    before = Call.objects.values().get()
    send(document)
    assert Call.objects.values().get() == before
    assert HourFigures.objects.get().errors == 1
    assert not CallCorrection.objects.exists()
    assert find_differences() == []


RECORDS = st.lists(
    st.builds(
        CallRecord,
        id=st.sampled_from(["a", "b", "c"]),
        sequence=st.none() | st.integers(0, 2),
        started_at=st.none() | st.integers(0, 3).map(lambda hours: AT + timedelta(hours=hours)),
        duration_s=st.none() | st.sampled_from([0.0, 12.5, 3600.0]),
        engaged=st.none() | st.booleans(),
        transferred=st.none() | st.booleans(),
        error=st.none() | st.booleans() | st.just("tool timeout"),
        sentiment=st.none() | st.sampled_from(["positive", "negative"]) | st.sampled_from([-1.0, 0.2]),
        evaluation=st.none() | st.sampled_from(["success", "fail"]),
        latency_ms=st.none() | st.sampled_from([120.0, 800.0]),
        is_test=st.none() | st.booleans(),
        called=st.none() | st.sampled_from(["+33198765432", "+442071234567"]),
        transcript=st.none() | st.just([{"role": "user", "text": "Hi"}]),
    ),
    min_size=1,
    max_size=8,
)
KEPT = [field.name for field in Call._meta.local_concrete_fields if field.name not in {"id", "received_at"}]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, random=st.randoms(use_true_random=False))
def test_any_order_in_any_batches_ends_in_the_same_calls_and_figures(records: list[CallRecord], random: Any) -> None:
    states = []
    for shuffled in (records, random.sample(records, len(records))):
        with transaction.atomic():
            rest = list(shuffled)
            while rest:
                size = random.randint(1, len(rest))
                ingest(rest[:size], source="api")
                rest = rest[size:]
            assert find_differences() == []
            # A call whose start nobody sent is put where its first record came.
            states.append(
                [
                    {**row, "started_at": row["started_at"] if row["is_start_known"] else None}
                    for row in Call.objects.order_by("sender_id").values(*KEPT)
                ]
            )
            transaction.set_rollback(True)
    assert states[0] == states[1]
