"""Transcripts and recordings are kept for the policy's time; calls, versions and figures for ever."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from agentversions.models import AuditEntry
from monitoring.core.records import read_record
from monitoring.core.retention import kept_since
from monitoring.models import Call, CallContent, CallLedger
from monitoring.services.checking import find_differences
from monitoring.services.ingest import ingest
from monitoring.services.retention import apply_retention, months_due
from monitoring.tasks import delete_old_contents
from tests.factories import make_user

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=200)


def take(sender_id: str, started_at: datetime, **fields: Any) -> None:
    said = {"transcript": [{"role": "user", "text": "Hi"}], "recording": "https://recordings.example.com/1.wav"}
    ingest([read_record({"id": sender_id, "started_at": started_at, **said, **fields})], source="api")


def page(sender_id: str) -> str:
    client = Client()
    client.force_login(make_user("call-reviewer"))
    return client.get(f"/calls/{sender_id}/").content.decode()


def partition(month: datetime) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)::text", [f"monitoring_callcontent_{month:%Y%m}"])
        return cursor.fetchone()[0]


def in_default() -> int:
    """Contents that no month's partition took."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM monitoring_callcontent WHERE tableoid = 'monitoring_callcontent_default'::regclass"
        )
        return int(cursor.fetchone()[0])


def test_months_are_kept_until_they_are_over_for_the_policys_days() -> None:
    assert kept_since(datetime(2026, 11, 21, tzinfo=UTC), 90) == datetime(2026, 8, 1, tzinfo=UTC)
    assert kept_since(datetime(2026, 10, 29, tzinfo=UTC), 90) == datetime(2026, 7, 1, tzinfo=UTC)
    assert kept_since(datetime(2026, 10, 30, tzinfo=UTC), 90) == datetime(2026, 8, 1, tzinfo=UTC)


def test_a_month_whose_time_is_over_is_dropped_whole_and_its_calls_stay(settings: Any) -> None:
    settings.CALL_CONTENT_DAYS = 3_000
    take("old", OLD, duration_s=10)
    take("new", NOW)
    settings.CALL_CONTENT_DAYS = 90
    assert OLD.strftime("%Y%m") in {f"{each.month:%Y%m}" for each in months_due()}
    said = io.StringIO()
    call_command("apply_retention", dry_run=True, stdout=said)
    assert f"{OLD:%B %Y}" in said.getvalue()
    assert partition(OLD)
    call_command("apply_retention", stdout=said)
    assert partition(OLD) is None
    assert partition(NOW)
    assert list(CallContent.objects.values_list("started_at", flat=True)) == [NOW]
    assert Call.objects.count() == 2
    assert find_differences() == []
    assert f"{OLD:%Y-%m}" in AuditEntry.objects.filter(action="transcripts deleted").values_list("subject", flat=True)
    assert "The transcript was kept for 90 days" in page("old")
    delete_old_contents(timestamp=0)
    assert months_due() == []


def test_a_transcript_that_comes_after_its_time_is_not_stored_and_the_page_says_so() -> None:
    take("late", OLD, duration_s=5)
    assert (CallContent.objects.count(), in_default()) == (0, 0)
    assert CallLedger.objects.get().is_content_late
    assert "came too late: they are kept for 90 days" in page("late")
    # Also for a call that is there already, whose month is gone.
    apply_retention()
    take("known", OLD + timedelta(minutes=1), transcript=None, recording=None)
    take("known", OLD + timedelta(minutes=1), sequence=2)
    assert (CallContent.objects.count(), in_default()) == (0, 0)
    assert CallLedger.objects.get(sender_id="known").is_content_late
    take("late", OLD, duration_s=5)
    assert find_differences() == []


def test_a_call_that_moves_into_a_month_that_is_gone_leaves_its_content_behind() -> None:
    take("a", NOW)
    take("a", OLD, sequence=1, transcript=None, recording=None)
    assert Call.objects.get().started_at == OLD
    assert (CallContent.objects.count(), in_default()) == (0, 0)


def test_a_recording_alone_is_kept_beside_the_transcripts() -> None:
    take("a", NOW, transcript=None)
    content = CallContent.objects.get()
    assert (content.transcript, content.recording) == (None, "https://recordings.example.com/1.wav")
    take("a", NOW, sequence=1, recording=None)
    content = CallContent.objects.get()
    assert (content.transcript[0]["text"], content.recording) == ("Hi", "https://recordings.example.com/1.wav")
    assert content.recording in page("a")


def test_what_strayed_into_the_default_partition_goes_as_well(settings: Any) -> None:
    settings.CALL_CONTENT_DAYS = 3_000
    take("old", OLD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitoring_drop_content(%s)", [OLD])
    take("old", OLD, sequence=1)
    assert in_default() == 1
    settings.CALL_CONTENT_DAYS = 90
    apply_retention()
    assert in_default() == 0


def test_the_database_refuses_to_drop_what_is_young() -> None:
    take("new", NOW)
    with (
        pytest.raises(IntegrityError, match="younger than 7 days"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT monitoring_drop_content(%s)", [NOW])
    assert CallContent.objects.count() == 1
